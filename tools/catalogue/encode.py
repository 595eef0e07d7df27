"""The catalogue as bytes that are searched where they lie. `engine/src/catalogue/format.rs` tells the layout and reads it."""

import re

import model

MAGIC = b"TWC1"
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]")
GROUPS_A_BLOCK = 16
NARROW_WORDS = 245
DIRECT_VERBS = 125
PERMISSION_NEXT, WIDE_VERB, CLASS_NEXT, LAST = 125, 126, 127, 0x80


def encode(catalogue):
    """Sections, each with its length as four bytes before it: words, verbs, classes, regions, sources, events, aliases, renames."""
    split = {name: WORD.findall(name) for names in catalogue.sources.values() for name in names}
    for name, words in split.items():
        if "".join(words) != name or not name.isascii():
            raise SystemExit(f"{name}: not made of words")
    words = _by_use(word for names in catalogue.sources.values() for name in names for word in split[name][1:])
    verbs = _by_use(split[name][0] for names in catalogue.sources.values() for name in names)
    word_ids = {word: number for number, word in enumerate(words)}
    for verb in verbs:
        word_ids.setdefault(verb, len(word_ids))
    words = list(word_ids)
    direct = {verb: number for number, verb in enumerate(verbs[:DIRECT_VERBS])}
    region_lists = sorted({entry.regions for names in catalogue.sources.values() for entry in names.values()})
    classes = sorted({_class(entry, region_lists) for names in catalogue.sources.values() for entry in names.values()})
    class_ids = {row: number for number, row in enumerate(classes)}

    sources, events = bytearray(), bytearray()
    names_of_sources = sorted(catalogue.sources, key=lambda source: source.removesuffix(model.DOMAIN))
    for source in names_of_sources:
        names = catalogue.sources[source]
        usual = _usual(names, region_lists)
        begin = len(events)
        count = _events(events, names, split, word_ids, direct, class_ids, region_lists, usual)
        sources += begin.to_bytes(4, "little") + count.to_bytes(2, "little") + bytes([class_ids[usual[False]], class_ids[usual[True]]])
    sections = [
        _strings(words),
        b"".join(word_ids[verb].to_bytes(2, "little") for verb in verbs[:DIRECT_VERBS]),
        b"".join(bytes(row) for row in classes),
        _strings([" ".join(regions) for regions in region_lists]),
        _strings(source.removesuffix(model.DOMAIN) for source in names_of_sources),
        bytes(sources),
        bytes(events),
        _strings(sorted(catalogue.aliases)),
        b"".join(
            names_of_sources.index(source + model.DOMAIN).to_bytes(2, "little") for _, source in sorted(catalogue.aliases.items())
        ),
        _strings(f"{source.removesuffix(model.DOMAIN)} {api} {event}" for source, api, event in sorted(catalogue.renames)),
    ]
    return MAGIC + b"".join(len(section).to_bytes(4, "little") + section for section in sections)


def _by_use(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))


def _strings(texts):
    """Their number, where each ends, and the texts."""
    texts = [text.encode("ascii") for text in texts]
    ends, end = [], 0
    for text in texts:
        end += len(text)
        ends.append(end.to_bytes(2, "little"))
    return len(texts).to_bytes(2, "little") + b"".join(ends) + b"".join(texts)


def _class(entry, region_lists):
    flags = entry.read_only | entry.data_event << 1 | entry.recorded << 2
    return entry.origin, entry.event_type, flags, entry.binding, region_lists.index(entry.regions)


def _usual(names, region_lists):
    """What the entries of a source are if nothing is said: an API, in the regions of most, that reads if its name begins so."""
    binding, regions = max(
        ((entry.binding, entry.regions) for entry in names.values()),
        key=lambda found: (sum((entry.binding, entry.regions) == found for entry in names.values()), found),
    )
    return {reads: _class(model.Entry(model.API, reads, binding=binding, regions=regions), region_lists) for reads in (False, True)}


def _events(out, names, split, word_ids, direct, class_ids, region_lists, usual):
    """The names without their first words, in order and in blocks whose places come first; with each, the first words it is found
    with."""
    groups = {}
    for name in names:
        first, *rest = split[name]
        groups.setdefault(tuple(rest), []).append((first, names[name]))
    ordered = sorted(groups, key=lambda rest: "".join(rest).encode("ascii"))
    body, places, before = bytearray(), [], ()
    for number, rest in enumerate(ordered):
        if number % GROUPS_A_BLOCK == 0:
            places.append(len(body))
            before = ()
        shared = 0
        while shared < min(len(before), len(rest), 15) and before[shared] == rest[shared]:
            shared += 1
        if len(rest) - shared > 15:
            raise SystemExit(f"{rest}: too many words")
        body.append(shared << 4 | len(rest) - shared)
        for word in rest[shared:]:
            body += _word(word_ids[word])
        verbs = sorted(groups[rest], key=lambda found: found[0])
        for place, (verb, entry) in enumerate(verbs):
            body += _verb(verb, entry, place + 1 == len(verbs), word_ids, direct, class_ids, region_lists, usual)
        before = rest
    out += len(places).to_bytes(2, "little") + b"".join(place.to_bytes(2, "little") for place in places) + body
    return len(names)


def _word(number):
    if number < NARROW_WORDS:
        return bytes([number])
    high, low = divmod(number - NARROW_WORDS, 256)
    if NARROW_WORDS + high > 255:
        raise SystemExit("too many words for their codes")
    return bytes([NARROW_WORDS + high, low])


def _verb(verb, entry, is_last, word_ids, direct, class_ids, region_lists, usual):
    reads = model.begins_with_a_read(verb)
    expected, found = usual[reads], _class(entry, region_lists)
    if found == expected:
        mark = b""
    elif found == (model.PERMISSION, *expected[1:]):
        mark = bytes([PERMISSION_NEXT])
    else:
        mark = bytes([CLASS_NEXT, class_ids[found]])
    last = LAST if is_last else 0
    if verb in direct:
        return mark + bytes([direct[verb] | last])
    return mark + bytes([WIDE_VERB | last]) + word_ids[verb].to_bytes(2, "little")
