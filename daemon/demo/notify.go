package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"rebake/storage"
)

// Limits of the notifier: what is kept of an answer and of the past, and how
// long a trigger may take. The wait that Rebake is asked for is shorter, so
// that its own answer comes first.
const (
	maxAnswer      = 16 << 10
	keptDeliveries = 50
	askedWait      = "5s"
	sendTimeout    = 10 * time.Second
)

// Notifier tells Rebake about changes, as a WordPress plugin would, and
// remembers what was said. It is safe for concurrent use; set its fields
// before the first change.
type Notifier struct {
	// URL is Rebake's /api/revalidate.
	URL string
	// Secret opens it.
	Secret storage.Secret
	// Client sends the triggers; nil is a client that waits 10 seconds.
	Client *http.Client

	mu     sync.Mutex
	recent []Delivery // guarded by mu, the oldest first
}

// Delivery is one trigger that was sent, and what came back.
type Delivery struct {
	Change Change
	At     time.Time
	// Request is what was sent, as text without the secret.
	Request string
	// Status and Answer are what came back; 0 and "" when nothing did.
	Status int
	Answer string
	// Took is the time until the answer. Rebake was asked to answer when the
	// pages are published, so this is how long readers saw the old ones.
	Took time.Duration
	// Err says why nothing came back.
	Err error
}

// Published reports whether Rebake said that the new pages are public.
func (d Delivery) Published() bool { return d.Err == nil && d.Status == http.StatusOK }

// Send sends the trigger for a change and waits for its answer. It has the
// form of CMS.Changed.
func (n *Notifier) Send(change Change) {
	d := Delivery{Change: change, At: time.Now()}
	d.Request, d.Status, d.Answer, d.Err = n.post(change)
	d.Took = time.Since(d.At)

	n.mu.Lock()
	defer n.mu.Unlock()
	n.recent = append(n.recent, d)
	if len(n.recent) > keptDeliveries {
		n.recent = slices.Delete(n.recent, 0, 1)
	}
}

// post returns the request as text in any case.
func (n *Notifier) post(change Change) (sent string, status int, answer string, err error) {
	u, err := url.Parse(n.URL)
	if err != nil {
		return "", 0, "", fmt.Errorf("parse trigger URL: %w", err)
	}
	q := u.Query()
	q.Set("wait", askedWait)
	u.RawQuery = q.Encode()
	body, err := json.Marshal(map[string][]string{"paths": change.Paths})
	if err != nil {
		return "", 0, "", fmt.Errorf("encode trigger: %w", err)
	}
	sent = fmt.Sprintf("POST %s\nHost: %s\nAuthorization: Bearer %s\nContent-Type: application/json\n\n%s",
		u.RequestURI(), u.Host, n.Secret, indent(body))

	req, err := http.NewRequest(http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return sent, 0, "", fmt.Errorf("make trigger: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+n.Secret.Reveal())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "rebake-demo-cms")
	client := n.Client
	if client == nil {
		client = &http.Client{Timeout: sendTimeout}
	}
	res, err := client.Do(req)
	if err != nil {
		return sent, 0, "", fmt.Errorf("send trigger: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return sent, res.StatusCode, indent(text), fmt.Errorf("read answer: %w", err)
	}
	return sent, res.StatusCode, indent(text), nil
}

// indent makes JSON readable, and leaves what is no JSON as it is.
func indent(b []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, b, "", "  ") != nil {
		return string(b)
	}
	return out.String()
}

// Delivery returns what was sent for the change with this id.
func (n *Notifier) Delivery(change int) (Delivery, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.recent, func(d Delivery) bool { return d.Change.ID == change })
	if i < 0 {
		return Delivery{}, false
	}
	return n.recent[i], true
}

// Recent returns the newest deliveries, the newest first, at most max.
func (n *Notifier) Recent(max int) []Delivery {
	n.mu.Lock()
	defer n.mu.Unlock()
	recent := slices.Clone(n.recent[len(n.recent)-min(max, len(n.recent)):])
	slices.Reverse(recent)
	return recent
}
