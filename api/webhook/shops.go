package webhook

import (
	"strconv"
	"strings"

	"rebake/api/signature"
)

// IsPing reports whether a request is the one that WooCommerce sends when a
// webhook is saved: a form with the webhook's number, which it does not sign. It
// says nothing, and a shop shows an error unless it is answered with 200.
func (h *Hook) IsPing(r signature.Request) bool {
	const most = 32
	if h.cfg.Kind != "woocommerce" || len(r.Body) > most || r.Header.Get("X-WC-Webhook-Topic")+r.Header.Get("X-WC-Webhook-Signature") != "" {
		return false
	}
	number, isForm := strings.CutPrefix(string(r.Body), "webhook_id=")
	_, err := strconv.ParseUint(number, 10, 64)
	return isForm && err == nil
}

// readWooCommerce reads a shop's own webhooks: the header has the topic,
// "product.updated", and the body the item.
func readWooCommerce(e Event) (Change, error) {
	topic, _ := e.Header["x-wc-webhook-topic"].(string)
	kind, action, _ := strings.Cut(topic, ".")
	switch kind {
	case "product":
	case "order", "customer", "coupon":
		return ignored("%s changes no page", name(topic))
	case "", "action": // of a hook in PHP, whose argument can be anything
		return unknown(topic, "", "")
	default:
		return unknown(topic, kind, word(e.Body, "id"))
	}
	version := word(e.Body, "date_modified_gmt")
	if action == "deleted" {
		version = ""
	}
	c, err := one(kind, word(e.Body, "id"), version)
	if link := word(e.Body, "permalink"); link != "" && word(e.Body, "status") == "publish" {
		c.Paths = []string{link}
	}
	return c, err
}

// readWPWebhooks reads what the plugin WP Webhooks sends about posts.
func readWPWebhooks(e Event) (Change, error) {
	id := word(e.Body, "post_id")
	switch event, _ := e.Header["x-wp-webhook-name"].(string); {
	case id != "":
	case word(e.Body, "user_id") != "":
		return ignored("%s changes no page", name(event))
	default:
		return unknown(event, "", "")
	}
	post := at(e.Body, "post")
	kind := first(word(post, "post_type"), "post")
	if kind == "attachment" {
		kind = "media"
	}
	status := word(post, "post_status")
	version := strings.Replace(word(post, "post_modified_gmt"), " ", "T", 1)
	if status != "publish" {
		version = ""
	}
	c, err := one(kind, id, version)
	if link := word(e.Body, "post_permalink"); link != "" && status == "publish" && !strings.Contains(link, "?") {
		c.Paths = []string{link}
	}
	return c, err
}
