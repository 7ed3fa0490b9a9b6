// Package esim orders eSIM profiles from an SM-DP+ over ES2+ (GSMA SGP.22 §5.3), the
// interface between an operator and the server that phones download their profiles from.
//
// A profile is had in two acts and given back in one:
//
//	DownloadOrder   takes a profile: one of our inventory, by its ICCID, or any of a type
//	ConfirmOrder    ties it to a matching id of ours and makes it downloadable
//	CancelOrder     gives it back, before it is downloaded
//
// The three differ in what may be repeated. Confirm and cancel, and a download order for an
// ICCID of our own, are the same act when they are sent again. A download order by type is
// not: each one takes another profile, so that after a lost answer it must not be sent again
// blindly. The SM-DP+ does not recognise repetitions: the call id helps people to find a
// call in its log, and nothing more.
//
// Failures arrive as HTTP 200 with the status Failed and a pair of codes (SGP.22 §5.2.6);
// verdict.go has the one table that says what each means. ICCIDs are compared without their
// padding F. Whatever stands in a reply is untrusted: its address must be the configured
// one, its matching id ours.
//
// In the other direction the SM-DP+ tells how a download goes: it posts
// handleDownloadProgressInfo to [ProgressPath], which [ParseProgress] reads.
package esim
