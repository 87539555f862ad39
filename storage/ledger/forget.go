package ledger

import (
	"context"
	"fmt"
	"strings"

	"rebake/storage"
)

// Forgotten says how many paths were taken out of a label's index.
type Forgotten struct {
	Label Label
	Paths int
}

// Forget takes the paths out of a label's index that are no pages any more,
// since their tombstones have expired, and returns how many those are. With dry
// it only counts them.
func (l *Ledger) Forget(ctx context.Context, label Label, paths []storage.Path, dry bool) (int, error) {
	if len(paths) == 0 {
		return 0, nil
	}
	how := "forget"
	if dry {
		how = "look"
	}
	index, _, _ := label.index()
	args := []any{index, how}
	for _, p := range paths {
		args = append(args, p.String())
	}
	r, err := l.runWalk(ctx, l.scripts.forget, label, args...)
	return int(r.number(1)), err
}

// forgetScan is about how many keys are looked at for one step of
// ForgetTagged.
const forgetScan = 1000

// ForgetTagged is Forget for the indexes of some tags, with what it found, and
// the cursor to go on from; 0 at the start, and at the end. A tag may come
// twice.
func (l *Ledger) ForgetTagged(ctx context.Context, cursor uint64, dry bool) ([]Forgotten, uint64, error) {
	own := l.key("")
	keys, next, err := l.rdb.Scan(ctx, cursor, globText.Replace(own)+"tag:*", forgetScan).Result()
	if err != nil {
		return nil, 0, storage.Temporary(fmt.Errorf("read tags: %w", err))
	}
	var list []Forgotten
	for _, key := range keys {
		f := Forgotten{Label: Label(strings.TrimPrefix(key, own))}
		err := l.EachBatch(ctx, f.Label, func(paths []storage.Path) error {
			n, err := l.Forget(ctx, f.Label, paths, dry)
			f.Paths += n
			return err
		})
		if err != nil {
			return list, 0, err
		}
		if f.Paths > 0 {
			list = append(list, f)
		}
	}
	return list, next, nil
}

// globText makes a text match itself in a pattern of Redis: a site may be
// named by an IPv6 address.
var globText = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)
