// Package signature checks that a webhook was sent by who holds its secret: one
// verifier for all senders that sign with an HMAC, or send the secret itself. A
// sender is a Scheme, which is a value and no code, but for two whose signed
// text is no template: contentful.go, hygraph.go. Preset has the schemes of
// senders that are known.
//
// What is checked is the request as it came, before anything reads it. Whether
// an event was seen before is not judged here: Event.Key tells one delivery
// from another, and the caller remembers it when the event is durable and not
// before, or a retry after a crash would be taken for a double.
package signature
