// Package crash names the moments at which a process of ours may die, or be stopped and go on
// much later, and all must still end well, so that a test can let that happen right there.
//
// In an ordinary binary At does nothing and costs nothing. One that is built with
// `-tags crashpoints` looks at each moment into the directory that DIALTONE_CRASH names. A
// file there that is called like the moment and ends in Kill or Hold is an order; one that
// has fewer words than the moment is an order for the first that begins with them. An order
// is taken away, so that it is obeyed once. Each moment that is passed is a line of the file
// Passed.
package crash

import "strings"

const (
	// Variable is the environment variable with the directory.
	Variable = "DIALTONE_CRASH"
	// Tag is the build tag.
	Tag = "crashpoints"
	// Passed is the file of the moments that were passed. One at which a process dies is
	// written down before.
	Passed = "passed"
	// Kill orders the process to die on the spot, as the system would kill it.
	Kill = ".kill"
	// Hold orders the caller to wait there until whoever gave the order gives up the lock on its
	// file (flock). The moment is written down again, with this ending, once it goes on.
	Hold = ".hold"
)

// Name is what a moment is called: the point and what it is about, with spaces between.
func Name(point string, about ...string) string {
	return strings.Join(append([]string{point}, about...), " ")
}
