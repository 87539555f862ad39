// Package demo holds the parts of `rebake demo`: a sample CMS with an editor,
// and the templates and the configuration of a small blog over it. The daemon
// wires them to a queue, an api, a worker and a file server.
//
// The CMS answers in the shape of WordPress' REST API and keeps everything in
// memory. It asks nobody for a password, so it belongs on the loopback
// interface and nowhere else.
package demo
