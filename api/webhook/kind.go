package webhook

import (
	"maps"
	"slices"
	"time"
)

// kind is what is known of one sort of sender. How it signs is signature's.
type kind struct {
	read reader
	// lists are those of a source that its events are about; nil for WordPress,
	// which names them itself.
	lists lists
	// settle, maxWait and recheck are the defaults of the keys of those names:
	// how late what a CMS answers follows what it announces.
	settle, maxWait, recheck time.Duration
	// ids are headers that name a delivery, for senders that do not sign one.
	ids []string
	// several says that one request tells of several changes: what matches a rule
	// need not be what nobody understood.
	several bool
	// rules says that a sender's events name nothing that pages could show, so
	// that they mean nothing without rules.
	rules bool
}

// kinds are the senders that are known. The times are for a CMS that is asked
// itself: those that answer through a network of caches take longer, and their
// versions tell when a render came too early.
var kinds = map[string]kind{
	"wordpress": {read: readWordPress, several: true, settle: 500 * time.Millisecond, maxWait: 5 * time.Second}, // our plugin calls when all is saved
	"standard":  {read: readPlain, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"generic":   {read: readPlain, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second, ids: idHeaders},
	"payload":   {read: readPayload, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second, ids: idHeaders},

	"strapi":     {read: readStrapi, lists: byKind, settle: time.Second, maxWait: 10 * time.Second, recheck: 5 * time.Second},
	"ghost":      {read: readGhost, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"directus":   {read: readDirectus, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"contentful": {read: readContentful, lists: anyList, settle: 5 * time.Second, maxWait: 20 * time.Second, recheck: time.Minute},
	"sanity":     {read: readSanity, lists: anyList, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second, ids: idHeaders},
	"storyblok":  {read: readStoryblok, lists: anyList, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second},
	"prismic":    {read: readPrismic, lists: anyList, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second},
	"hygraph":    {read: readHygraph, lists: anyList, settle: 5 * time.Second, maxWait: 20 * time.Second, recheck: 30 * time.Second},
	"datocms":    {read: readDatoCMS, lists: anyList, settle: 3 * time.Second, maxWait: 15 * time.Second, recheck: 30 * time.Second},
	"kontent":    {read: readKontent, several: true, lists: anyList, settle: 5 * time.Second, maxWait: 20 * time.Second, recheck: time.Minute},

	"woocommerce": {read: readWooCommerce, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},
	"wp-webhooks": {read: readWPWebhooks, lists: byKind, settle: 2 * time.Second, maxWait: 10 * time.Second, recheck: 10 * time.Second},

	"github": {read: readPush, settle: 2 * time.Second, maxWait: 10 * time.Second, ids: []string{"x-github-delivery"}, rules: true},
	"gitlab": {read: readPush, settle: 2 * time.Second, maxWait: 10 * time.Second, ids: []string{"x-gitlab-event-uuid", "idempotency-key"}, rules: true},
}

// idHeaders are those by which senders commonly name a delivery. X-Request-Id is
// none: proxies give it on, so that two events may have the same.
var idHeaders = []string{"idempotency-key", "webhook-id"}

// Kinds returns the names of all kinds, in their order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }
