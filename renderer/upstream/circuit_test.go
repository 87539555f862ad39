package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rebake/storage"
)

// played is a circuit over a server that does as told, in the time of synctest.
type played struct {
	*circuit
	t *testing.T
	n int // requests so far
}

func newPlayed(t *testing.T) *played {
	return &played{circuit: newCircuit("cms.example.com"), t: t}
}

func (p *played) request(url, body string) *http.Request {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		p.t.Fatal(err)
	}
	return req
}

var err503 = &storage.TemporaryError{Err: &StatusError{Status: 503}}

// ask sends one more request, which ends as v says; false when it is refused.
func (p *played) ask(v verdict, err error) bool {
	p.t.Helper()
	p.n++
	return p.askFor(fmt.Sprintf("http://cms.example.com/%d", p.n), v, err)
}

func (p *played) askFor(url string, v verdict, err error) bool {
	p.t.Helper()
	try, refused := p.begin(false)
	if refused == nil {
		p.end(p.request(url, ""), try, v, err)
	}
	return refused == nil
}

// down opens the circuit.
func (p *played) down() {
	p.t.Helper()
	for range differentFailures {
		if !p.ask(fails, err503) {
			p.t.Fatal("refused too early")
		}
	}
	if p.now().Since.IsZero() {
		p.t.Fatalf("%d failures did not open the circuit", differentFailures)
	}
}

func TestCircuit_opensAfterFailuresInARow(t *testing.T) {
	p := newPlayed(t)
	for range 3 {
		for range differentFailures - 1 {
			p.ask(fails, err503)
		}
		p.ask(answers, nil)
	}
	if !p.now().Since.IsZero() {
		t.Fatal("open, though an answer came in between")
	}
	p.down()
	if p.ask(answers, nil) {
		t.Error("an open circuit let a request through")
	}
}

func TestCircuit_onePageThatAlwaysFailsIsNoServerThatIsDown(t *testing.T) {
	p := newPlayed(t)
	for range anyFailures - 1 {
		p.askFor("http://cms.example.com/broken", fails, err503)
	}
	if !p.now().Since.IsZero() {
		t.Fatal("one page opened the circuit")
	}
	p.askFor("http://cms.example.com/broken", fails, err503)
	if p.now().Since.IsZero() {
		t.Errorf("%d failures of one request, which all pages may need, did not open the circuit", anyFailures)
	}
}

func TestCircuit_tellsQueriesApartByTheirBodies(t *testing.T) {
	c := newCircuit("cms.example.com")
	p := played{circuit: c, t: t}
	for i := range differentFailures {
		c.end(p.request("http://cms.example.com/graphql", fmt.Sprint(i)), false, fails, err503)
	}
	if c.now().Since.IsZero() {
		t.Error("the circuit is closed after different queries failed")
	}
}

func TestCircuit_pausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlayed(t)
		p.down()
		start := time.Now()
		var tries []time.Duration
		for time.Since(start) < 40*time.Second {
			if p.ask(fails, err503) {
				tries = append(tries, time.Since(start))
			}
			time.Sleep(100 * time.Millisecond)
		}
		want := []time.Duration{1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 25 * time.Second, 35 * time.Second}
		if fmt.Sprint(tries) != fmt.Sprint(want) {
			t.Errorf("tried at %v, want %v", tries, want)
		}
	})
}

func TestCircuit_tryThatHangsIsAPauseToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlayed(t)
		p.down()
		for range 5 {
			time.Sleep(time.Until(p.now().Next))
			try, err := p.begin(false)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
			p.end(p.request("http://cms.example.com/", ""), try, fails, err503)
		}
		if got := time.Until(p.now().Next); got != firstPause {
			t.Errorf("the next try is %v after one of 20s, want %v", got, firstPause)
		}
	})
}

func TestCircuit_oneTryAtATimeAndItsAnswerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlayed(t)
		p.down()
		time.Sleep(firstPause)
		try, err := p.begin(false)
		if err != nil || !try {
			t.Fatalf("begin = %v, %v, want a try", try, err)
		}
		for _, urgent := range []bool{false, true} {
			time.Sleep(2 * time.Second)
			if _, err := p.begin(urgent); err == nil {
				t.Errorf("a second request (urgent %v) went through beside the try", urgent)
			}
		}
		p.end(p.request("http://cms.example.com/", ""), true, answers, nil)
		if !p.ask(answers, nil) || !p.now().Since.IsZero() {
			t.Error("the circuit is open after the try was answered")
		}
	})
}

func TestCircuit_tryThatIsCalledOffLeavesTheNextOneIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlayed(t)
		p.down()
		time.Sleep(firstPause)
		if !p.ask(unknown, context.Canceled) {
			t.Fatal("the try was refused")
		}
		if p.now().Since.IsZero() || !p.ask(answers, nil) {
			t.Error("want an open circuit that lets another try in")
		}
	})
}

func TestCircuit_editTriesEarlierButNotInTheSameSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlayed(t)
		p.down()
		for range 3 { // so that the pause is long
			time.Sleep(time.Until(p.now().Next))
			p.ask(fails, err503)
		}
		if p.check(true) == nil {
			t.Error("an edit tried at once after another try")
		}
		time.Sleep(firstPause)
		if p.check(false) == nil {
			t.Error("a call that nobody waits for was let through")
		}
		if err := p.check(true); err != nil {
			t.Errorf("an edit was refused: %v", err)
		}
	})
}

func TestCircuit_RetryAfterIsForAllPagesAndKept(t *testing.T) { // H53
	for name, c := range map[string]struct{ asked, want time.Duration }{
		"as it says":         {time.Minute, time.Minute},
		"five minutes, most": {99999999 * time.Second, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlayed(t)
				late := p.request("http://cms.example.com/late", "")
				start := time.Now()
				p.ask(fails, &storage.TemporaryError{Err: &StatusError{Status: 429}, After: c.asked})
				p.end(late, false, answers, nil) // one that was under way
				var refused *storage.TemporaryError
				if err := p.check(true); !errors.As(err, &refused) || !refused.NotAsked || refused.After != c.want {
					t.Fatalf("an edit was told %v (%+v), want to come again after %v", err, refused, c.want)
				}
				for p.check(true) != nil && p.check(false) != nil {
					time.Sleep(time.Second)
				}
				if got := time.Since(start); got != c.want {
					t.Errorf("asked again after %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestJudge(t *testing.T) {
	fault := storage.Temporary(&transportFault{text: "refused"})
	for name, c := range map[string]struct {
		status    int
		err       error
		calledOff bool
		want      verdict
	}{
		"a page":            {status: 200, want: answers},
		"no such page":      {status: 404, err: storage.ErrGone, want: answers},
		"a wrong key":       {status: 401, err: storage.Temporary(&StatusError{Status: 401}), want: answers},
		"refused by a gate": {status: 200, err: &storage.RefusedError{}, want: answers},
		"too many":          {status: 429, err: err503, want: fails},
		"overloaded":        {status: 503, err: err503, want: fails},
		"accepted failure":  {status: 502, want: fails},
		"unreachable":       {err: fault, want: fails},
		"cut off":           {status: 200, err: fault, want: fails},
		"called off":        {err: fault, calledOff: true, want: unknown},
	} {
		if got := judge(c.status, c.err, c.calledOff); got != c.want {
			t.Errorf("%s: judge = %v, want %v", name, got, c.want)
		}
	}
}
