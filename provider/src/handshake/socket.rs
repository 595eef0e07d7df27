//! The socket, in a directory that is ours alone and goes with us; what killed providers left is swept.
//!
//! A provider locks a file in its directory before it listens there, and the kernel lifts the lock however the provider ends. So a socket beside a file that
//! can be locked has lost its provider, whatever container or process namespace that one lived in.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The longest path that a Unix socket can have, less the closing zero.
const MAX_PATH_BYTES: usize = 107;
const PREFIX: &str = "trailwire-provider-";
const SOCKET: &str = "provider.sock";
const LOCK: &str = "lock";
/// The directory's mode: its owner's alone.
const PRIVATE: u32 = 0o700;

/// A listening socket in a directory that only this user can enter. Dropping it removes both.
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    directory: TempDir,
    _lock: File,
}

impl Socket {
    /// Listens in the temporary directory, or in `/tmp` when that has too long a name.
    pub(super) fn bind() -> io::Result<Socket> {
        let fits = |path: &Path| path.as_os_str().len() <= MAX_PATH_BYTES;
        let mut directory = directory_in(&std::env::temp_dir())?;
        if !fits(&directory.path().join(SOCKET)) {
            directory = directory_in(Path::new("/tmp"))?;
        }
        let lock = File::create(directory.path().join(LOCK))?;
        lock.lock()?;
        let path = directory.path().join(SOCKET);
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Socket { listener, path, directory, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Work for a thread of its own: removes what providers of this user left here that had no time to.
    pub(super) fn sweeping(&self) -> impl FnOnce() + Send + 'static {
        let own = self.directory.path().to_owned();
        move || match sweep(&own) {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "removed the sockets of providers that were killed"),
            Err(error) => tracing::debug!(%error, "the sockets of providers that were killed cannot be looked for"),
        }
    }
}

fn directory_in(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(PRIVATE)).tempdir_in(parent)
}

/// Removes the directories beside `own` whose providers are gone, and says how many.
fn sweep(own: &Path) -> io::Result<usize> {
    let user = fs::metadata(own)?.uid();
    let mut removed = 0;
    for entry in fs::read_dir(own.parent().unwrap_or(own))? {
        let directory = entry?.path();
        let named = directory.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
        // Whatever goes wrong with one of them, it stays.
        if named && directory != own && is_abandoned(&directory, user).unwrap_or(false) && fs::remove_dir_all(&directory).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether this is a directory of this user's, closed to others, in which nobody listens any more.
fn is_abandoned(directory: &Path, user: u32) -> io::Result<bool> {
    let found = fs::symlink_metadata(directory)?;
    if !found.is_dir() || found.uid() != user || found.mode() & 0o777 != PRIVATE {
        return Ok(false);
    }
    let lock = File::open(directory.join(LOCK))?;
    // Without a socket its provider may be about to lock.
    Ok(lock.try_lock().is_ok() && directory.join(SOCKET).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_provider_of_this_user_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32, files: &[&str]| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            files.iter().for_each(|file| fs::write(path.join(file), "").unwrap());
            path
        };
        let own = make("trailwire-provider-own", PRIVATE, &[LOCK, SOCKET]);
        let left = make("trailwire-provider-left", PRIVATE, &[LOCK, SOCKET]);
        let kept = [
            own.clone(),
            make("trailwire-provider-begun", PRIVATE, &[LOCK]),
            make("trailwire-provider-strange", PRIVATE, &[]),
            make("trailwire-provider-open", 0o755, &[LOCK, SOCKET]),
            make("trailwire-demo", PRIVATE, &[LOCK, SOCKET]),
            make("trailwire-provider-living", PRIVATE, &[LOCK, SOCKET]),
        ];
        let living = File::open(parent.path().join("trailwire-provider-living").join(LOCK)).unwrap();
        living.lock().unwrap();
        fs::write(parent.path().join("trailwire-provider-file"), "").unwrap();

        assert_eq!(sweep(&own).unwrap(), 1);
        assert!(!left.exists());
        assert!(kept.iter().all(|path| path.exists()));
        drop(living);
        assert_eq!(sweep(&own).unwrap(), 1, "its provider has ended");
    }
}
