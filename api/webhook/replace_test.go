package webhook

import (
	"strings"
	"testing"
	"time"

	"rebake/storage"
)

// strapiOf is the config of a webhook.
func strapiOf(rules []Rule, secrets ...storage.Secret) Config {
	return Config{Kind: "strapi", Rules: rules, Secret: secrets}
}

// mustReplace gives a set other webhooks.
func mustReplace(t *testing.T, s *Set, configs map[string]Config) {
	t.Helper()
	if err := s.Replace(configs); err != nil {
		t.Fatal(err)
	}
}

// opens reports whether a secret opens the webhook of a name.
func (s *Set) opens(name string, secret storage.Secret) bool {
	h, ok := s.Hook(name)
	if !ok {
		return false
	}
	_, err := h.Verify(sent(secret, "{}"), time.Now())
	return err == nil
}

func TestSet_Replace_rotatesSecrets(t *testing.T) {
	const next = "the-next-CANARY-secret-0123456789"
	s := &Set{}
	for _, step := range []struct {
		secrets     storage.Secrets
		first, next bool
	}{{storage.Secrets{testSecret}, true, false}, {storage.Secrets{testSecret, next}, true, true}, {storage.Secrets{next}, false, true}} {
		mustReplace(t, s, map[string]Config{"cms": strapiOf(nil, step.secrets...)})
		if first, second := s.opens("cms", testSecret), s.opens("cms", next); first != step.first || second != step.next {
			t.Errorf("with %d secrets the first opens: %v, the next one: %v", len(step.secrets), first, second)
		}
	}
}

func TestSet_Replace_webhooksComeAndGo(t *testing.T) {
	s := &Set{}
	mustReplace(t, s, map[string]Config{"a": strapiOf(nil, testSecret)})
	mustReplace(t, s, map[string]Config{"b": strapiOf(nil, testSecret)})
	if s.opens("a", testSecret) || !s.opens("b", testSecret) {
		t.Errorf("there are %v, want b", s.Names())
	}
}

func TestSet_Replace_keepsAllWhenOneIsWrong(t *testing.T) {
	s := &Set{}
	mustReplace(t, s, map[string]Config{"a": strapiOf(nil, testSecret)})
	err := s.Replace(map[string]Config{"a": strapiOf(nil, "another-CANARY-0123456789"), "b": strapiOf(nil, "short")})
	if err == nil || !strings.Contains(err.Error(), "b.secret") {
		t.Errorf("Replace: %v, want what is wrong with b", err)
	}
	if !s.opens("a", testSecret) || len(s.Names()) != 1 {
		t.Errorf("there are %v, and the old secret of a opens: %v", s.Names(), s.opens("a", testSecret))
	}
}

// What was read is not read again; what other rules might read otherwise is.
func TestSet_Replace_deliveriesThatWereDone(t *testing.T) {
	rules := []Rule{{Paths: Texts{"/a"}}}
	for name, c := range map[string]struct {
		next Config
		seen bool
	}{
		"another secret": {strapiOf(rules, "another-CANARY-0123456789", testSecret), true},
		"other rules":    {strapiOf([]Rule{{Paths: Texts{"/b"}}}, testSecret), false},
	} {
		t.Run(name, func(t *testing.T) {
			s, now, d := &Set{}, time.Now(), Delivery{Key: "one"}
			mustReplace(t, s, map[string]Config{"cms": strapiOf(rules, testSecret)})
			was, _ := s.Hook("cms")
			was.Done(d, now)
			mustReplace(t, s, map[string]Config{"cms": c.next})
			if is, _ := s.Hook("cms"); is.Seen(d, now) != c.seen {
				t.Errorf("the delivery is known: %v, want %v", !c.seen, c.seen)
			}
		})
	}
}

// An event that is being read holds its place, whatever became of its webhook.
func TestSet_Replace_placesAreShared(t *testing.T) {
	s := &Set{}
	mustReplace(t, s, map[string]Config{"cms": strapiOf(nil, testSecret)})
	was, _ := s.Hook("cms")
	<-was.places
	mustReplace(t, s, map[string]Config{"cms": strapiOf(nil, testSecret)})
	if is, _ := s.Hook("cms"); len(is.places) != readers-1 {
		t.Errorf("%d places are free, want %d", len(is.places), readers-1)
	}
}
