package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// MostSeen is the most items of one collection that are remembered. Each takes
// about 80 bytes of Redis' memory.
const MostSeen = 1_000_000

// Seen is a collection of a source, such as the posts of cms, of whose items
// the versions are remembered that polls have seen, so that a change is noticed
// of which nobody told.
type Seen struct {
	Source, Collection string
}

func (s Seen) key(l *Ledger) string { return l.key("seen:" + s.Source + ":" + s.Collection) }

// SeenVersions returns the versions of those items that are remembered, by
// their ids.
func (l *Ledger) SeenVersions(ctx context.Context, s Seen, ids []string) (map[string]string, error) {
	versions := make(map[string]string, len(ids))
	for some := range slices.Chunk(ids, listBatch) {
		values, err := l.rdb.HMGet(ctx, s.key(l), some...).Result()
		if err != nil {
			return nil, errSeen(err)
		}
		for i, v := range values {
			if version, ok := v.(string); ok {
				versions[some[i]] = version
			}
		}
	}
	return versions, nil
}

// SeenCount returns how many items are remembered.
func (l *Ledger) SeenCount(ctx context.Context, s Seen) (int, error) {
	n, err := l.rdb.HLen(ctx, s.key(l)).Result()
	if err != nil {
		return 0, errSeen(err)
	}
	return int(n), nil
}

// EachSeen calls f for the ids that are remembered, in no order. One may come
// twice, and one that is remembered or forgotten meanwhile may or may not come.
func (l *Ledger) EachSeen(ctx context.Context, s Seen, f func(id string)) error {
	for cursor := uint64(0); ; {
		pairs, next, err := l.rdb.HScan(ctx, s.key(l), cursor, "", 1000).Result()
		if err != nil {
			return errSeen(err)
		}
		for i := 0; i < len(pairs); i += 2 {
			f(pairs[i])
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// Memory is what a poll has seen of a collection, once the triggers are
// accepted that this calls for: after a crash before that, it is seen again.
type Memory struct {
	Versions map[string]string // of items, by id
	Gone     []string          // ids to forget
	Progress string            // how far the poll has come with the collection; "" for as far as before
	// Unannounced are items whose announced versions count no more, by their tags.
	Unannounced []string
}

// Remember replaces what Memory says, in one step.
func (l *Ledger) Remember(ctx context.Context, s Seen, m Memory) error {
	_, err := l.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		if len(m.Versions) > 0 {
			pipe.HSet(ctx, s.key(l), m.Versions)
		}
		if len(m.Gone) > 0 {
			pipe.HDel(ctx, s.key(l), m.Gone...)
		}
		if len(m.Unannounced) > 0 {
			pipe.HDel(ctx, l.key("announced"), m.Unannounced...)
			pipe.HDel(ctx, l.key("announced:owed"), m.Unannounced...)
			members := make([]any, len(m.Unannounced))
			for i, item := range m.Unannounced {
				members[i] = item
			}
			pipe.ZRem(ctx, l.key("announced:at"), members...)
		}
		if m.Progress != "" {
			pipe.HSet(ctx, l.key("poll:"+s.Source), "c:"+s.Collection, m.Progress)
		}
		return nil
	})
	if err != nil {
		return storage.Temporary(fmt.Errorf("remember what was seen: %w", err))
	}
	return nil
}

const (
	// mostAdopted is the most announcements of one kind that AnnouncedOf returns,
	// and adoptAt how many of all kinds it looks at at a time.
	mostAdopted = 1000
	adoptAt     = 5000
)

// AnnouncedOf returns the versions of the items of a kind ("post") that were
// announced in the last hour, by their ids: of very many, the newest.
func (l *Ledger) AnnouncedOf(ctx context.Context, kind string) (map[string]string, error) {
	var items []string
	for from := int64(0); from < mostAnnounced && len(items) < mostAdopted; from += adoptAt {
		some, err := l.rdb.ZRevRange(ctx, l.key("announced:at"), from, from+adoptAt-1).Result()
		if err != nil {
			return nil, errSeen(err)
		}
		for _, item := range some {
			if strings.HasPrefix(item, kind+":") {
				items = append(items, item)
			}
		}
		if len(some) < adoptAt {
			break
		}
	}
	announced, err := l.Announced(ctx, items[:min(len(items), mostAdopted)])
	versions := make(map[string]string, len(announced))
	for item, a := range announced {
		versions[strings.TrimPrefix(item, kind+":")] = a.Version
	}
	return versions, err
}

func errSeen(err error) error { return storage.Temporary(fmt.Errorf("read what was seen: %w", err)) }

const (
	// shownBy is how many pages of a tag ShownSince looks at.
	shownBy = 20
	// Where none of those is public, it goes on in larger steps, but not for ever.
	shownStep = 500
	mostShown = 10_000
)

// ShownSince returns since when the public pages show what they show of a tag:
// when the oldest of the first few of them was made. A tag that no public page
// has is not among them.
func (l *Ledger) ShownSince(ctx context.Context, tags []string) (map[string]time.Time, error) {
	since := make(map[string]time.Time)
	for some := range slices.Chunk(tags, listBatch) {
		more, err := l.shownSince(ctx, some, 0, shownBy, since)
		for _, tag := range more {
			left := []string{tag}
			for from := shownBy; err == nil && len(left) > 0 && from < mostShown; from += shownStep {
				left, err = l.shownSince(ctx, left, from, shownStep, since)
			}
		}
		if err != nil {
			return nil, storage.Temporary(fmt.Errorf("read pages of tags: %w", err))
		}
	}
	return since, nil
}

// shownSince looks at so many pages of each tag, and returns the tags of which
// none of those is public, and that have more.
func (l *Ledger) shownSince(ctx context.Context, tags []string, from, n int, since map[string]time.Time) (more []string, err error) {
	pipe := l.rdb.Pipeline()
	paths := make([]*redis.StringSliceCmd, len(tags))
	for i, tag := range tags {
		index, _, _ := Tag(tag).index()
		paths[i] = pipe.ZRange(ctx, l.key(index), int64(from), int64(from+n-1))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	pages := make([][]*redis.SliceCmd, len(tags))
	asked := false
	for i := range tags {
		for _, path := range paths[i].Val() {
			pages[i] = append(pages[i], pipe.HMGet(ctx, l.key("page:"+path), "gone", "at"))
			asked = true
		}
	}
	if !asked {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	for i, tag := range tags {
		for _, cmd := range pages[i] {
			page := reply(cmd.Val())
			at := time.UnixMilli(page.number(1))
			if page.text(0) == "1" || page.text(1) == "" {
				continue
			}
			if oldest, known := since[tag]; !known || at.Before(oldest) {
				since[tag] = at
			}
		}
		if _, public := since[tag]; !public && len(pages[i]) == n {
			more = append(more, tag)
		}
	}
	return more, nil
}
