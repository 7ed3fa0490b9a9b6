// Package arch holds the arrows of the tree as a test, and has no code of its own. An arrow
// is an import and the way the data goes:
//
//	cmd → server, webhook, relay → workflows → activities → store, carrier, esim, mail → mobile → fault
//
// rooms_test.go says which room may import which; words_test.go says which words belong to
// which room, so that a line read alone tells where it lives; tree_test.go reads the tree.
// Tests (_test.go files) may import what they like.
package arch
