package worker

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"rebake/storage"
	"rebake/storage/ledger"
)

// pollMemory is what polls have seen of a source before. What a dry run sees is
// remembered in here only, so that it goes on as a real one would.
type pollMemory struct {
	ledger *ledger.Ledger
	source string
	dry    bool
	// saw is what a dry run has seen, by collection or list, and id.
	saw map[string]map[string]sight
}

// sight is an item as a dry run has seen it.
type sight struct {
	version string
	gone    bool
}

func (m *pollMemory) seen(name string) ledger.Seen {
	return ledger.Seen{Source: m.source, Collection: name}
}

// versions is ledger.Ledger.SeenVersions.
func (m *pollMemory) versions(ctx context.Context, name string, ids []string) (map[string]string, error) {
	known, err := m.ledger.SeenVersions(ctx, m.seen(name), ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		switch s, ok := m.saw[name][id]; {
		case ok && s.gone:
			delete(known, id)
		case ok:
			known[id] = s.version
		}
	}
	return known, nil
}

// count is ledger.Ledger.SeenCount.
func (m *pollMemory) count(ctx context.Context, name string) (int, error) {
	n, err := m.ledger.SeenCount(ctx, m.seen(name))
	if err != nil || len(m.saw[name]) == 0 {
		return n, err
	}
	known, err := m.ledger.SeenVersions(ctx, m.seen(name), slices.Collect(maps.Keys(m.saw[name])))
	if err != nil {
		return 0, err
	}
	for id, s := range m.saw[name] {
		switch _, was := known[id]; {
		case was && s.gone:
			n--
		case !was && !s.gone:
			n++
		}
	}
	return n, nil
}

// each is ledger.Ledger.EachSeen.
func (m *pollMemory) each(ctx context.Context, name string, f func(id string)) error {
	err := m.ledger.EachSeen(ctx, m.seen(name), func(id string) {
		if _, ok := m.saw[name][id]; !ok {
			f(id)
		}
	})
	for id, s := range m.saw[name] {
		if !s.gone {
			f(id)
		}
	}
	return err
}

// These are remembered of an item in the place of its version.
const (
	unsure = ""  // whatever it is now has to be looked at
	unmet  = "?" // the same of one that no poll has seen yet
)

// adopt remembers the items of a kind that were announced in the last hour as
// others than polls have seen them, and returns their ids. So one that came and
// went between two polls is missed by the next like any other, and one that is
// as it was before what was told is found too.
func (m *pollMemory) adopt(ctx context.Context, name, kind string) (ids []int, err error) {
	announced, err := m.ledger.AnnouncedOf(ctx, kind)
	if err != nil || len(announced) == 0 {
		return nil, err
	}
	known, err := m.versions(ctx, name, slices.Collect(maps.Keys(announced)))
	if err != nil {
		return nil, err
	}
	adopted := ledger.Memory{Versions: make(map[string]string)}
	for text, version := range announced {
		id, err := strconv.Atoi(text)
		if err != nil || id < 1 {
			continue // of another CMS
		}
		seen, was := known[text]
		if order, ok := storage.CompareVersions(version, seen); was && ok && order == 0 {
			continue
		}
		adopted.Versions[text] = unsure
		if !was || seen == unmet {
			adopted.Versions[text] = unmet
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	switch {
	case len(ids) == 0:
		return nil, nil
	case m.dry:
		m.pretend(name, adopted)
		return ids, nil
	}
	return ids, m.ledger.Remember(ctx, m.seen(name), adopted)
}

// pretend is ledger.Ledger.Remember of a dry run.
func (m *pollMemory) pretend(name string, seen ledger.Memory) {
	if m.saw == nil {
		m.saw = make(map[string]map[string]sight)
	}
	if m.saw[name] == nil {
		m.saw[name] = make(map[string]sight)
	}
	for id, version := range seen.Versions {
		m.saw[name][id] = sight{version: version}
	}
	for _, id := range seen.Gone {
		m.saw[name][id] = sight{gone: true}
	}
}
