package webhook

import (
	"maps"
	"slices"
	"time"
)

// kind is what is known of one sort of sender. How it signs is signature's.
type kind struct {
	read reader
	// settle, maxWait and recheck are the defaults of the keys of those names:
	// how late what a CMS answers follows what it announces.
	settle, maxWait, recheck time.Duration
	// ids are headers that name a delivery, for senders that do not sign one.
	ids []string
	// rules says that a sender's events name nothing that pages could show, so
	// that they mean nothing without rules.
	rules bool
}

// kinds are the senders that are known. The times are for a CMS that is asked
// itself: those that answer through a network of caches take longer, and their
// versions tell when a render came too early.
var kinds = map[string]kind{
	"wordpress": {read: readWordPress, settle: 500 * time.Millisecond, maxWait: 5 * time.Second}, // our plugin calls when all is saved
	"standard":  {read: readPlain, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"generic":   {read: readPlain, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second, ids: idHeaders},
	"payload":   {read: readPayload, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second, ids: idHeaders},

	"strapi":     {read: readStrapi, settle: time.Second, maxWait: 10 * time.Second, recheck: 5 * time.Second},
	"ghost":      {read: readGhost, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"directus":   {read: readDirectus, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"contentful": {read: readContentful, settle: 5 * time.Second, maxWait: 20 * time.Second, recheck: time.Minute},
	"sanity":     {read: readSanity, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second, ids: idHeaders},
	"storyblok":  {read: readStoryblok, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second},
	"prismic":    {read: readPrismic, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second},
	"hygraph":    {read: readHygraph, settle: 5 * time.Second, maxWait: 20 * time.Second, recheck: 30 * time.Second},
	"datocms":    {read: readDatoCMS, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second},
	"kontent":    {read: readKontent, settle: 5 * time.Second, maxWait: 20 * time.Second, recheck: time.Minute},

	"woocommerce": {read: readWooCommerce, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"wp-webhooks": {read: readWPWebhooks, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},

	"github": {read: readPush, settle: 2 * time.Second, maxWait: 10 * time.Second, ids: []string{"x-github-delivery"}, rules: true},
	"gitlab": {read: readPush, settle: 2 * time.Second, maxWait: 10 * time.Second, ids: []string{"x-gitlab-event-uuid", "idempotency-key"}, rules: true},
}

// idHeaders are those by which senders commonly name a delivery. X-Request-Id is
// none: proxies give it on, so that two events may have the same.
var idHeaders = []string{"idempotency-key", "webhook-id"}

// Kinds returns the names of all kinds, in their order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }
