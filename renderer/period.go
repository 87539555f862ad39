package renderer

import (
	"fmt"
	"time"

	"rebake/renderer/expression"
	"rebake/storage"
)

// period is when a page is there, as its content says; nil for always.
type period struct {
	publishAt, expireAt *expression.Text
}

// check returns when the page must be looked at again, zero for never. Before
// and after its period the page is a *storage.GoneError.
func (p period) check(env map[string]any, now time.Time) (wake time.Time, err error) {
	end, err := moment("expire_at", p.expireAt, env)
	if err != nil {
		return time.Time{}, err
	}
	begin, err := moment("publish_at", p.publishAt, env)
	if err != nil {
		return time.Time{}, err
	}
	switch {
	case !end.IsZero() && !end.After(now):
		return time.Time{}, &storage.GoneError{Reason: "expire_at: the page ended at " + end.Format(time.RFC3339)}
	case begin.After(now):
		return time.Time{}, &storage.GoneError{Reason: "publish_at: the page begins at " + begin.Format(time.RFC3339), Until: begin}
	}
	return end, nil
}

// moment reads the time that a text gives, zero for null and "".
func moment(key string, text *expression.Text, env map[string]any) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	s, ok, err := text.Eval(env)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", key, err)
	}
	if !ok || s == "" {
		return time.Time{}, nil
	}
	t, ok := parseTime(s)
	if !ok {
		return time.Time{}, fmt.Errorf("%s: %s gives %.40q, which is no time; it must be like 2006-01-02T15:04:05Z, or without Z for UTC", key, text, s)
	}
	return t.UTC(), nil
}
