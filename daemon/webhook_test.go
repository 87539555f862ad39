package daemon

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const (
	hookSecret = "a-webhook-secret-that-nobody-would-guess"
	someHooks  = `
redis: memory
webhooks:
  strapi:
    kind: strapi
    secret: ` + hookSecret + `
    settle: 200ms
    recheck: 0s
    rules:
      - when: body.model == "post"
        paths: ["/p/{body.entry?.slug}"]
        item: "post:{body.entry?.slug}"
      - when: body.model == "odd"
        paths: ["/p/{body.entry.parent.slug}"]
`
)

// event sends an event as a CMS would that cannot sign.
func (s *testSite) event(secret, body string) (status int, answer string) {
	s.t.Helper()
	return s.untilTaken(func() (int, string) { return s.eventOnce(secret, body) })
}

func (s *testSite) eventOnce(secret, body string) (status int, answer string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.listen+"/_rebake/webhooks/strapi", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestServe_eventOfACMSIsPublished(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, someHooks)
	s.start()
	s.source.edit("a")
	if status, answer := s.event(hookSecret, `{"event":"entry.publish","model":"post","entry":{"documentId":"x","slug":"a"}}`); status != 200 || !strings.Contains(answer, `"revalidated":true`) {
		t.Errorf("answer is %d %s", status, answer)
	}
	s.await("the page is public", patience, func() bool { return s.shows("a") })

	s.write("event.json", `{"event":"entry.publish","model":"post","entry":{"documentId":"x","slug":"a"}}`)
	s.mustRun([]string{"webhook", "test", "strapi", "--file", s.dir + "/event.json"}, "rules[0] matches", "post:a", "/p/a", "1 page would be rendered")
}

func TestServe_eventThatIsNotUnderstoodIsParked(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, someHooks)
	s.start()
	s.mustRun([]string{"webhook", "parked"}, "no event is parked")
	if status, answer := s.event(hookSecret, `{"event":"entry.publish","model":"odd","entry":{"documentId":"x"}}`); status != 200 || !strings.Contains(answer, "rules[1].paths[0]") {
		t.Errorf("answer is %d %s", status, answer)
	}
	s.mustRun([]string{"webhook", "parked"}, "strapi  entry.publish  odd:x\n", "  rules[1].paths[0]")
	s.mustRun([]string{"webhook", "parked", "--json"}, `\"model\":\"odd\"`)
	s.mustFail(exitFailed, []string{"webhook", "retry"}, "parked: rules[1].paths[0]")
	s.mustFail(exitUsage, []string{"webhook", "retry", "--drop"}, "takes the ID")
	s.mustFail(exitFailed, []string{"webhook", "retry", "NONE"}, `no event "NONE" is parked`)
}

func TestServe_secretsOfWebhooksAreRotatedWithoutARestart(t *testing.T) {
	t.Parallel()
	const next = "the-next-webhook-secret-that-nobody-would-guess"
	s := newTestSite(t, someHooks)
	p := s.start()
	opens := func(secret string) bool { status, _ := s.event(secret, `{}`); return status == http.StatusOK }
	s.rewrite(p, "secret: "+hookSecret, "secret: "+next, "secrets loaded")
	if opens(hookSecret) || !opens(next) {
		t.Error("the next secret is not in the place of the first")
	}
	if text := p.log.String(); strings.Contains(text, "restart") || strings.Contains(text, hookSecret) {
		t.Errorf("the log says\n%s", text)
	}
}
