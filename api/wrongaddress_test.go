package api

import "testing"

// Who has taken one of two addresses for the other is told so, with or without
// the token of the one.
func TestAdmin_triggersAndEventsAreNotHere(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/api/revalidate?path=/a&secret=" + secret, "/api/revalidate/", "/_rebake/webhooks/wordpress", "/_rebake/webhooks/wordpress/"} {
		for _, method := range []string{"GET", "POST"} {
			do(t, f.Admin(), method, path, "{}").wants(404, "admin_address")
		}
	}
	do(t, f.Admin(), "POST", "/elsewhere", "").wants(404, "not_found")
	f.idle()
}
