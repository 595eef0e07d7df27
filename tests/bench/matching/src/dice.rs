//! Random numbers from a seed, the same everywhere.

pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// A number below another.
    pub fn roll(&mut self, below: usize) -> usize {
        (self.next() % below as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.roll(count) == 0
    }

    pub fn percent(&mut self, share: usize) -> bool {
        self.roll(100) < share
    }

    /// A number below another, small ones oftener.
    pub fn skewed(&mut self, below: usize) -> usize {
        let unit = self.roll(1 << 30) as f64 / f64::from(1_u32 << 30);
        ((unit * unit * below as f64) as usize).min(below - 1)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.roll(index + 1));
        }
    }
}

/// Draws in Zipf's proportions.
pub struct Zipf(Vec<f64>);

impl Zipf {
    pub fn new(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        Self(
            (1..=count)
                .map(|rank| {
                    sum += (rank as f64).powf(-exponent);
                    sum
                })
                .collect(),
        )
    }

    pub fn draw(&self, dice: &mut Dice) -> usize {
        let at = dice.roll(1 << 30) as f64 / f64::from(1_u32 << 30) * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum < at).min(self.0.len() - 1)
    }
}
