package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScenario_Problems(t *testing.T) {
	demand := Demand{Faults: 2, Triggers: 10, During: 1, Recovery: 5 * time.Second}
	good := Outcome{Faults: 2, Triggers: 10, During: 1, Recovery: 5 * time.Second}
	for name, test := range map[string]struct {
		change  func(*Outcome)
		control bool
		want    string // in what is said; "" when it has passed
	}{
		"as demanded":              {change: func(*Outcome) {}},
		"one lost":                 {change: func(o *Outcome) { o.Lost = 1 }, want: "1 lost"},
		"one torn":                 {change: func(o *Outcome) { o.Torn = 1 }, want: "1 torn"},
		"one older":                {change: func(o *Outcome) { o.Older = 1 }, want: "1 older"},
		"too few faults":           {change: func(o *Outcome) { o.Faults = 1 }, want: "only 1 faults"},
		"too few triggers":         {change: func(o *Outcome) { o.Triggers = 9 }, want: "only 9 triggers"},
		"none during the fault":    {change: func(o *Outcome) { o.During = 0 }, want: "only 0 triggers"},
		"slow recovery":            {change: func(o *Outcome) { o.Recovery += time.Millisecond }, want: "5.001s"},
		"control that saw it":      {change: func(o *Outcome) { o.Lost = 1 }, control: true},
		"control that is too mild": {change: func(*Outcome) {}, control: true, want: "did not see"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			test.change(&o)
			got := strings.Join(Scenario{Short: demand, Control: test.control}.Problems(o, false), "; ")
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("problems: %q, want %q", got, test.want)
			}
		})
	}
}

func TestScenarios_AreComplete(t *testing.T) {
	names := make(map[string]bool)
	for _, s := range scenarios() {
		if s.Name == "" || s.About == "" || s.Run == nil || names[s.Name] {
			t.Errorf("scenario %q: it needs a name of its own, a sentence and a Run", s.Name)
		}
		names[s.Name] = true
		if s.Long.Faults == 0 || !s.LongOnly && s.Short.Faults == 0 {
			t.Errorf("scenario %s: without a demand, it passes when nothing happens", s.Name)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []Scenario{{Name: "kills"}, {Name: "power-ext4", LongOnly: true}, {Name: "control-kills", Control: true}}
	for name, test := range map[string]struct {
		o    options
		want []string
	}{
		"short":   {options{}, []string{"kills", "control-kills"}},
		"long":    {options{long: true}, []string{"kills", "power-ext4", "control-kills"}},
		"only":    {options{only: "power"}, []string{"power-ext4"}},
		"several": {options{only: "power-ext4,control"}, []string{"power-ext4", "control-kills"}},
		"control": {options{control: true}, []string{"control-kills"}},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := choose(all, test.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range chosen {
				got = append(got, s.Name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestChoose_Unknown(t *testing.T) {
	if _, err := choose(scenarios(), options{only: "nothing-like-it"}); err == nil || !strings.Contains(err.Error(), "nothing-like-it") {
		t.Errorf("error: %v; want one that names it", err)
	}
}
