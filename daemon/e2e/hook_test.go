package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hookSecret opens the webhooks of a site.
const hookSecret = "another-secret-that-nobody-would-guess"

// tell sends a webhook in the place of our plugin, signed as the Standard
// Webhooks say.
func (s *site) tell(t *testing.T, name string, message fields) {
	t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	id, sent := fmt.Sprintf("of-the-test-%d", time.Now().UnixNano()), time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(hookSecret))
	fmt.Fprintf(mac, "%s.%d.%s", id, sent, body)
	req := newRequest(t, http.MethodPost, s.URL+"/_rebake/webhooks/"+name, string(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", fmt.Sprint(sent))
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if a := newVisitor(t).do(t, req); a.status != http.StatusOK || !strings.Contains(a.body, `"revalidated":true`) {
		t.Errorf("webhook %s: %s", name, a)
	}
}
