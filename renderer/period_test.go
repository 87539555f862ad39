package renderer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rebake/storage"
)

// noon is what the renderers of these tests take for now.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestPeriod(t *testing.T) {
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	for name, tc := range map[string]struct {
		publish, expire string // JSON
		kind            string
		wake, until     time.Time
		want            string
	}{
		"always":              {`null`, `null`, "", time.Time{}, time.Time{}, ""},
		"always, empty":       {`""`, `""`, "", time.Time{}, time.Time{}, ""},
		"since a while":       {`"2026-05-01T11:00:00"`, `null`, "", time.Time{}, time.Time{}, ""},
		"since now":           {`"2026-05-01T12:00:00"`, `null`, "", time.Time{}, time.Time{}, ""},
		"later":               {`"2026-05-01T13:00:00"`, `null`, "gone", time.Time{}, at(1), "publish_at: the page begins at 2026-05-01T13:00:00Z: gone"},
		"later, another zone": {`"2026-05-01T13:00:00-02:00"`, `null`, "gone", time.Time{}, at(3), "begins at 2026-05-01T15:00:00Z"},
		"later, in parts":     {`"2026-05-01T12:00:00.5Z"`, `null`, "gone", time.Time{}, noon.Add(time.Second / 2), "begins"},
		"until later":         {`null`, `"2026-05-01T14:00:00Z"`, "", at(2), time.Time{}, ""},
		"until now":           {`null`, `"2026-05-01T12:00:00Z"`, "gone", time.Time{}, time.Time{}, "expire_at: the page ended at 2026-05-01T12:00:00Z: gone"},
		"over":                {`"2026-04-01T12:00:00"`, `"2026-05-01"`, "gone", time.Time{}, time.Time{}, "ended"},
		"over before it is":   {`"2026-06-01T12:00:00"`, `"2026-05-01"`, "gone", time.Time{}, time.Time{}, "ended"},
		"later, and an end":   {`"2026-05-01T13:00:00"`, `"2026-05-01T14:00:00"`, "gone", time.Time{}, at(1), "begins"},
		"no time":             {`"soon"`, `null`, "permanent", time.Time{}, time.Time{}, `publish_at: {post.from} gives "soon", which is no time`},
		"WordPress' zero":     {`null`, `"0000-00-00T00:00:00"`, "permanent", time.Time{}, time.Time{}, "expire_at: {post.to} gives"},
		"a map":               {`null`, `{}`, "permanent", time.Time{}, time.Time{}, "expire_at: {post.to}: gives a map"},
	} {
		t.Run(name, func(t *testing.T) {
			r := one(t, answers(fmt.Sprintf(`[{"from": %s, "to": %s}]`, tc.publish, tc.expire)), "x", func(rc *RouteConfig) {
				rc.PublishAt, rc.ExpireAt = "{post.from}", "{post.to}"
			})
			r.now = func() time.Time { return noon }
			page, err := render(t, r, "/blog/a")
			if kind(err) != tc.kind || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s error %v, want %s, %q", kind(err), err, tc.kind, tc.want)
			}
			if !page.Wake.Equal(tc.wake) {
				t.Errorf("wakes at %s, want %s", page.Wake, tc.wake)
			}
			var gone *storage.GoneError
			if errors.As(err, &gone) != (tc.kind == "gone") || gone != nil && !gone.Until.Equal(tc.until) {
				t.Errorf("error %#v, want one until %s", err, tc.until)
			}
		})
	}
}

func TestPeriod_ofTheParameters(t *testing.T) {
	r := one(t, answers(`[{}]`), "x", func(rc *RouteConfig) { rc.ExpireAt = "{slug}" })
	r.now = func() time.Time { return noon }
	if page, err := render(t, r, "/blog/2026-05-02"); err != nil || !page.Wake.Equal(time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("wakes at %s, %v", page.Wake, err)
	}
}
