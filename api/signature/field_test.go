package signature

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestField(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"first":              {`{"secret":"s","a":1}`, "s"},
		"last":               {` {"a":{"secret":"no"},"b":["secret"],"secret":"s"} `, "s"},
		"twice":              {`{"secret":"a","secret":"s"}`, "s"},
		"in an escape":       {`{"se\u0063ret":"s"}`, "s"},
		"another case":       {`{"Secret":"s"}`, ""},
		"below":              {`{"a":{"secret":"s"}}`, ""},
		"below a list":       {`{"a":[{"secret":"s"}],"b":[[]],"c":{}}`, ""},
		"a value":            {`{"a":"secret","b":"s"}`, ""},
		"in a text":          {`{"a":"\",\"secret\":\"s","b":"\\\\"}`, ""},
		"spaced":             {" { \"secret\" : \"s\" , \"a\" : 1 }\n", "s"},
		"an empty object":    {`{}`, ""},
		"a text alone":       {`"secret"`, ""},
		"no text":            {`{"secret":5}`, ""},
		"null":               {`{"secret":null}`, ""},
		"no text after one":  {`{"secret":"s","secret":["s"]}`, ""},
		"a list":             {`["secret","s"]`, ""},
		"no JSON":            {`secret=s`, ""},
		"cut off":            {`{"secret":"s"`, ""},
		"more than a value":  {`{"secret":"s"}{}`, ""},
		"nothing":            {``, ""},
		"an empty text":      {`{"secret":""}`, ""},
		"a comma at the end": {`{"secret":"s",}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := field([]byte(c.body), "secret")
			switch {
			case c.want == "" && !errors.Is(err, ErrRefused):
				t.Errorf("got %q and the error %v", got, err)
			case c.want != "" && (err != nil || len(got) != 1 || got[0] != c.want):
				t.Errorf("got %q and the error %v, want %q", got, err, c.want)
			}
		})
	}
}

// Whoever has no secret can send as many fields as a body has room for.
func TestField_keepsNoOthers(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"secret":"s"`)
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, `,"%x":1`, i)
	}
	body := []byte(b.String() + "}")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := field(body, "secret"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := int(after.TotalAlloc - before.TotalAlloc); took > len(body) {
		t.Errorf("took %d bytes in all for a body of %d", took, len(body))
	}
}

// It finds what a map of all fields has.
func FuzzField(f *testing.F) {
	for _, body := range []string{`{"secret":"s","a":{"secret":["x"]}}`, `{"a":"\\\"","se\u0063ret":"s"}`, `[{}]`, `{"secret":{}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var fields map[string]json.RawMessage
		var want string
		if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields["secret"], &want) != nil {
			want = ""
		}
		got, err := field(body, "secret")
		if err != nil && want != "" || err == nil && got[0] != want {
			t.Errorf("%q holds %q and the error %v, want %q", body, got, err, want)
		}
	})
}
