// Package e2e tests whole sites on the real software: the CMS, Rebake with its
// own redis-server, and nginx with the configuration that Rebake prints. What
// is looked at is what a visitor gets.
//
// There is nothing here but tests. Where a program is missing they are skipped,
// or fail when CI is true; scripts/test installs them.
package e2e
