package webhook

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/worker"
)

// bodies with more in them than rules see, of a place on a map.
func longBodies() map[string]string {
	var fields strings.Builder
	for i := range mostItems + 1 {
		fmt.Fprintf(&fields, `"k%d":"v%d",`, i, i)
	}
	place := func(area string) string {
		return `{"event":"entry.publish","model":"place","entry":{"documentId":"x","area":` + area + `}}`
	}
	return map[string]string{
		"a list":             place("[" + strings.Repeat("1,", mostItems) + "1]"),
		"a list in a list":   place("[[" + strings.Repeat("1,", mostItems) + "1]]"),
		"an object":          place("{" + strings.TrimSuffix(fields.String(), ",") + "}"),
		"a text":             place(`"` + strings.Repeat("y", mostText+1) + `"`),
		"a number too large": place("1e999"),
	}
}

func TestKinds_readWhatIsLong(t *testing.T) {
	for name, body := range longBodies() {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: "strapi"})
			want := Change{Items: []worker.Item{{Tag: "place:x"}}, Tags: []string{"place"}}
			r := h.read(event(t, h, body))
			if diff := cmp.Diff(want, r.Change, cmpopts.EquateEmpty()); diff != "" || len(r.Failed) > 0 {
				t.Errorf("failures are %v, change (-want +got):\n%s", r.Failed, diff)
			}
		})
	}
}

// Rules that do not look at what is long do not notice.
func TestRules_besideWhatIsLong(t *testing.T) {
	for name, body := range longBodies() {
		t.Run(name, func(t *testing.T) {
			h := mustHook(t, Config{Kind: "strapi", Rules: []Rule{{When: `body.model == "place" && body.entry.area != nil`, Paths: Texts{"/places/{body.entry.documentId}"}}}})
			r := h.read(event(t, h, body))
			if len(r.Failed) > 0 || !slices.Equal(r.Paths, []string{"/places/x"}) {
				t.Errorf("paths are %v, failures %v", r.Paths, r.Failed)
			}
		})
	}
}

// A rule that looks at it fails, whatever it does, and does so at once.
func TestRules_overWhatIsLong(t *testing.T) {
	list, object, text := longBodies()["a list"], longBodies()["an object"], longBodies()["a text"]
	for expression, body := range map[string]string{
		`any(body.entry.area, let v = #; any(body.entry.area, # == v && # == "none"))`:                 list,
		`any(values(body.entry.area), let v = #; any(values(body.entry.area), # == v && # == "none"))`: object,
		`len(body.entry.area) > 1`:         list,
		`1 in body.entry.area`:             list,
		`"k1" in body.entry.area`:          object,
		`body.entry.area[0] == 1`:          list,
		`body.entry.area.k1 == "v1"`:       object,
		`body.entry.area() == 1`:           list,
		`body.entry.area?.k1 == "v1"`:      object,
		`keys(body.entry.area)[0] == "k1"`: object,
		`len(flatten([body.entry.area])) > 5 or body.entry.area == true or toJSON(body.entry.area) == ""`: list,
		`body.entry.area contains "x"`:                       text,
		`body.entry.area matches "x"`:                        text,
		`body.entry.area startsWith "x"`:                     text,
		`body.entry.area + "x" != ""`:                        text,
		`upper(body.entry.area) == ""`:                       text,
		`len(body.entry.area) > 1 or body.entry.area == "x"`: text,
		`any(split(body.entry.area, ""), # == "x")`:          text,
		`body.entry.area > 5`:                                longBodies()["a number too large"],
		`string(body.entry.area) contains "1"`:               list,
	} {
		t.Run(expression, func(t *testing.T) {
			h := mustHook(t, Config{Kind: "strapi", Rules: []Rule{{When: expression, Paths: Texts{"/"}}}})
			if r := h.read(event(t, h, body)); len(r.Failed) != 1 || len(r.Paths) > 0 {
				t.Errorf("paths are %v, failures %v", r.Paths, r.Failed)
			}
		})
	}
}

// Nothing is left of an event that is too long as a whole but what says so.
func TestRules_ofABodyThatIsLong(t *testing.T) {
	h := mustHook(t, Config{Kind: "generic", Rules: []Rule{{When: `any(values(body), # == "v")`, Paths: Texts{"/"}}, {Paths: Texts{"{body}"}}}})
	var b strings.Builder
	for i := range mostItems + 1 {
		fmt.Fprintf(&b, `,"k%d":"v"`, i)
	}
	r := h.read(event(t, h, "{"+b.String()[1:]+"}"))
	if len(r.Failed) != 2 || !strings.Contains(r.Failed[1].Message, "tooLong") {
		t.Errorf("failures are %v", r.Failed)
	}
}

// What a rule makes of a body that is small takes no more room than a machine has.
func TestRules_putNoLongTextBeforeEachItem(t *testing.T) {
	body := `{"base":"` + strings.Repeat("y", 100_000) + `","items":[` + strings.Repeat(`"x",`, 4999) + `"x"]}`
	for _, place := range []string{"body.base", "header['x-base']"} {
		h := mustHook(t, Config{Kind: "generic", Rules: []Rule{{Tags: Texts{"{map(body.items, " + place + " + #)}"}}}})
		r := h.read(event(t, h, body, "X-Base: "+strings.Repeat("y", 100_000)))
		if len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Message, "tooLong") || len(r.Tags) > 0 {
			t.Errorf("%s: %d tags, failures %v", place, len(r.Tags), r.Failed)
		}
	}
}
