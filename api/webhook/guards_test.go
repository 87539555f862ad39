package webhook

import "testing"

func TestGuards(t *testing.T) {
	for _, name := range []string{
		"authorization", "Proxy-Authorization", "x-auth", "X-Auth-Token", "authToken", "x-authtoken", "oauth", "cookie", "cookies", "Set-Cookie",
		"x-webhook-secret", "clientSecret", "x-hub-signature-256", "webhook-signature", "x-sig", "token", "access_token", "ACCESS_TOKEN", "password",
		"api-key", "apiKey", "x-api-keys", "apikey", "x-gitlab-token", "x-amz-security-token",
	} {
		if !Guards(name) {
			t.Errorf("%s is kept", name)
		}
	}
	for _, name := range []string{
		"x-author", "author_id", "coauthor", "authority", ":authority", "x-secretary", "tokenizer", "key", "idempotency-key", "x-keywords",
		"x-strapi-event", "x-wc-webhook-topic", "content-type", "sanity-operation", "significant", "",
	} {
		if Guards(name) {
			t.Errorf("%s is not kept", name)
		}
	}
}
