// Package demo holds the parts of `rebake demo`: a sample CMS with an editor,
// the templates and the configuration of a small blog over it, and a file
// server that stands in for nginx. The daemon wires them to a queue, an api
// and a worker.
//
// The CMS answers in the shape of WordPress' REST API and keeps everything in
// memory. It asks nobody for a password, so it belongs on the loopback
// interface and nowhere else.
package demo
