package signature

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Options are what a sender leaves to its user.
type Options struct {
	// Header is the header in which the sender sends the secret, for senders
	// whose users can name one; what signs besides is then not asked to. With
	// Authorization it is "Bearer SECRET", or "Basic BASE64" where the secret is
	// "user:password". Default for senders that sign nothing: Authorization, or
	// X-Webhook-Secret.
	Header string
	// Tolerance is how far the time of sending may lie from now, both ways;
	// default 5m; negative: any time is taken.
	Tolerance time.Duration
	// BodyOnly takes what Ghost before July 2024 signs, too: the body alone,
	// without the time, so that a request can be sent again at any time.
	BodyOnly bool
}

// Preset returns the schemes of a kind of sender, of which any will do. Its
// error names the kind, or the option that the kind has no use for.
func Preset(kind string, o Options) ([]Scheme, error) {
	p, ok := presets[kind]
	if !ok {
		return nil, fmt.Errorf("kind: %q: use one of %s", kind, strings.Join(Kinds(), ", "))
	}
	if o.Header != "" && !p.token {
		return nil, fmt.Errorf("header: %s signs, and sends the secret in no header", kind)
	}
	if o.BodyOnly && kind != "ghost" {
		return nil, fmt.Errorf("body_only: %s has no such form", kind)
	}
	schemes := slices.Clone(p.schemes)
	switch {
	case o.Header != "": // so it does not sign
		schemes = sent(o.Header)
	case len(schemes) == 0:
		schemes = append(schemes, sent("Authorization")...)
		schemes = append(schemes, sent("X-Webhook-Secret")...)
	}
	if o.BodyOnly {
		schemes = append(schemes, Scheme{Header: "X-Ghost-Signature", Separator: ",", Prefix: "sha256=", Algorithm: SHA256, Encoding: Hex})
	}
	for i := range schemes {
		schemes[i].Tolerance = o.Tolerance
	}
	return schemes, nil
}

// Kinds returns the kinds that Preset knows, sorted.
func Kinds() []string {
	var kinds []string
	for kind := range presets {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// sent are schemes for the secret itself in a header.
func sent(header string) []Scheme {
	if !strings.EqualFold(header, "Authorization") {
		return []Scheme{{Header: header, Algorithm: Token}}
	}
	return []Scheme{
		{Header: header, Prefix: "Bearer ", Algorithm: Token},
		{Header: header, Prefix: "Basic ", Algorithm: Token, Encoding: Base64},
	}
}

// standardWebhooks is the scheme of https://www.standardwebhooks.com, whose
// headers have other names with some senders.
func standardWebhooks(prefix string, key Key, least int) Scheme {
	return Scheme{
		Header: prefix + "-signature", Separator: " ", Prefix: "v1,", Algorithm: SHA256, Encoding: Base64,
		Signed: "{id}.{t}.{body}", Timestamp: Timestamp{Header: prefix + "-timestamp"}, ID: prefix + "-id", Key: key, LeastSecret: least,
	}
}

// preset says how a kind of sender proves itself.
type preset struct {
	schemes []Scheme
	// token says that its users can have the secret sent in a header.
	token bool
}

// presets must not be changed.
var presets = map[string]preset{
	"wordpress": {schemes: []Scheme{standardWebhooks("webhook", Raw, 0)}},
	"standard":  {schemes: []Scheme{standardWebhooks("webhook", Whsec, 24), standardWebhooks("svix", Whsec, 24)}},

	// These sign nothing: their users set a header.
	"generic":  {token: true},
	"strapi":   {token: true},
	"directus": {token: true},
	"payload":  {token: true},
	"datocms":  {token: true},

	"ghost": {schemes: []Scheme{{
		Header: "X-Ghost-Signature", Separator: ",", Prefix: "sha256=", Algorithm: SHA256, Encoding: Hex,
		Signed: "{body}{t}", Timestamp: Timestamp{Prefix: "t=", Unit: time.Millisecond},
	}}},
	"contentful": {token: true, schemes: []Scheme{{
		Header: contentfulSignature, Algorithm: SHA256, Encoding: Hex,
		Timestamp: Timestamp{Header: contentfulTime, Unit: time.Millisecond}, LeastSecret: 64, form: contentful,
	}}},
	"sanity": {token: true, schemes: []Scheme{{
		Header: "sanity-webhook-signature", Separator: ",", Prefix: "v1=", Algorithm: SHA256, Encoding: Base64URL,
		Signed: "{t}.{body}", Timestamp: Timestamp{Prefix: "t=", Unit: time.Millisecond},
	}}},
	// The name of its header is that of Standard Webhooks, and the rest is not.
	"storyblok": {schemes: []Scheme{{Header: "webhook-signature", Algorithm: SHA1, Encoding: Hex}}},
	"prismic":   {token: true, schemes: []Scheme{{Field: "secret", Algorithm: Token}}},
	"hygraph": {token: true, schemes: []Scheme{{
		Header: "gcms-signature", Separator: ",", Prefix: "sign=", Algorithm: SHA256, Encoding: Base64,
		Timestamp: Timestamp{Prefix: "t=", Unit: time.Millisecond}, form: hygraph,
	}}},
	"kontent": {token: true, schemes: []Scheme{
		{Header: "X-Kontent-ai-Signature", Algorithm: SHA256, Encoding: Base64},
		{Header: "X-KC-Signature", Algorithm: SHA256, Encoding: Base64},
	}},
	"github": {schemes: []Scheme{{
		Header: "X-Hub-Signature-256", Prefix: "sha256=", Algorithm: SHA256, Encoding: Hex, ID: "X-GitHub-Delivery", Payload: "payload",
	}}},
	// Its signing token begins with whsec_, and its secret token as one likes.
	"gitlab": {schemes: []Scheme{
		standardWebhooks("webhook", Whsec, 24),
		{Header: "X-Gitlab-Token", Algorithm: Token, ID: "Idempotency-Key"},
	}},
	"woocommerce": {schemes: []Scheme{{
		Header: "X-WC-Webhook-Signature", Algorithm: SHA256, Encoding: Base64, ID: "X-WC-Webhook-Delivery-ID",
	}}},
	"wp-webhooks": {token: true, schemes: []Scheme{{Header: "X-WP-Webhook-Signature", Algorithm: SHA256, Encoding: Base64}}},
}
