// Package esimtest is a pretend SM-DP+ at its real wire: ES2+ of SGP.22 in its JSON binding,
// with state that outlives it (its journal), download notifications that it brings until
// they are taken, and faults on demand (partnertest). It shares no code with the client, so
// that neither can hide the other's mistakes.
//
// A profile lives as SGP.22 §3.1 has it:
//
//	Available → Allocated → Linked → Confirmed → Released → Downloaded → Installed
//	                                                 ↑            └──→ Error
//	                                                 └ memory full, interrupted
//
// Linked is Allocated with an EID. A cancelled order leaves its profile Available, or
// Unavailable for ever. Like a real one it knows no repetition by its call id: a download
// order by profile type takes another profile each time, and what else is repeated meets
// the state that the first call left (8.2.1/3.3, 8.2.6/3.3 or 8.2.6/3.10).
//
// What it does is chosen by what it is asked, so that people can try everything:
//
//	profile type NO_SUCH_TYPE     8.2.5/3.9, unknown
//	profile type NOT_ALLOWED      8.2.5/1.2, not ours
//	profile type OUT_OF_STOCK     8.2.5/3.7, none left, until POST /_pretend/restock
//	ICCID not beginning 8901      8.2.1/3.9, unknown
//
// Every other type has profiles without end, and every other ICCID is in stock. Profiles that
// were assigned are kept for orders by their ICCIDs: they have a type (an order that says
// another is refused with 8.2.5/3.8), and none is given out by type. Beside partnertest's own
// paths there are, for callers on this machine:
//
//	POST /_pretend/install    a phone: {"activation_code": "LPA:1$…"} or {"iccid": "…"} is
//	                          downloaded and installed, and the notifications are sent.
//	                          ?fail= memory, interrupted (can be tried again), broken,
//	                          eligibility (for good)
//	POST /_pretend/restock    {"profile_type": "OUT_OF_STOCK", "count": 1}
//	POST /_pretend/assign     {"profile_type": "DEMO-5G", "count": 100} assigns profiles and
//	                          answers their ICCIDs as text, one a line: a delivery, as
//	                          "dialtone profile import" reads it
//	GET  /_pretend/profiles   all profiles that were ever touched
//
// Its acts in the journal: download_order, confirm_order, release_profile, cancel_order,
// restock, assign, profile_downloaded, profile_installed, install_failed, refused, and
// partnertest.ActDelivered for its notifications. The entry's Key is the
// functionCallIdentifier, its Reference the ICCID.
package esimtest
