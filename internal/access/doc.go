// Package access decides who calls and what they may do.
//
// A call carries a token; a token stands for one principal, of one tenant (ADMIN of none)
// and, for PORTAL, of one activation. Gate turns the token into a Caller, Authorise asks the
// policy table whether that caller may make that call, and the handler finds the Caller in
// its context. What a caller may see is not decided here: it follows from the tenant that
// the store's door is opened with.
package access
