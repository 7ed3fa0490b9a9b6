// Package carriertest is a pretend carrier at its real wire: the API that
// api/carrier/v1/openapi.yaml publishes, with state that outlives it (its journal), signed
// events that it brings until they are taken, and faults on demand (partnertest). It shares
// no code with the client, so that neither can hide the other's mistakes.
//
// What it does is chosen by what it is asked, so that people can try everything:
//
//	IMEI 350000000000014   blocked (device check)
//	IMEI 350000000000022   not eSIM capable (device check)
//	IMEI 350000000000030   not supported (device check)
//	IMEI 350000000000048   unknown (device check)
//	IMEI 350000000000055   passes the device check, blocked at activation
//	IMEI 350000000000113   202; comes up a little later, with an event
//	IMEI 350000000000121   202; comes up a little later, without an event: only a read shows it
//	IMEI 350000000000139   202; fails a little later (DEVICE_NOT_SUPPORTED), with an event
//	ZIP  89049             not served (device check)
//	ZIP  59001             passes the device check, not served at activation
//	plan NO_SUCH_PLAN      unknown to the carrier
//	ICCID 8900000…         of a range that the carrier has not loaded
//
// Every other IMEI with a right check digit is a good device whose line is live at once.
// Numbers come from the fictional range NPA-555-0100 to 0199 of an area code near the ZIP.
//
// A port goes by the number that is brought in: +1 NPA 555 01xx, of any area code. The donor
// answers after a second, and the number moves five seconds later. "Once" is once for an
// activation: the next order or supplement for the same line is taken.
//
//	00   confirmed and completed; so is every number that is not in this list
//	01   PIN refused once (6B)
//	02   account number refused once (8A)
//	03   ZIP refused once (8D)
//	04   locked once (6P)
//	05   name refused once (7C)
//	06   address refused once (ADDRESS_MISMATCH)
//	07   inactive once (NUMBER_INACTIVE)
//	08   identity refused once (IDENTITY_MISMATCH)
//	09   refused once with a code that nobody knows (9Z)
//	10   not portable (7T): the portability check says so, and so does an order
//	11   on this network already (SAME_NETWORK): likewise
//	12   being ported elsewhere: the order is taken, and refused each time (DUPLICATE)
//	13   PIN refused three times
//	14   account number refused five times
//	15   delayed (DONOR_DELAY), then confirmed
//	16   confirmed, but its due date is revoked once (refused, DUE_DATE) when it comes
//	17   landline: moves on the next business day at 15:00 UTC; wants the service address
//	18   VoIP: wants the names, too
//	19   silence: the donor never answers; a cancel works
//	20   completes without being confirmed
//	21   completes although a cancel was taken
//	22   its completion is not told: only a read shows it
//	23   every event comes three times, the last one first, when it is over
//	24   the portability check says that the donor is "verizon"
//	25   takes no supplements; PIN refused once
//	26   PIN refused once by the order itself (422, 6B)
//	27   unknown (NUMBER_UNKNOWN): the portability check says so, and so does an order
//	28   the event of its completion names another ICCID; a read is right
//	29   a cancel takes 48 hours
//
// It has a clock of its own, which goes with the world's and can be moved on. Under /_pretend
// it serves to callers on this machine, beside what partnertest does:
//
//	GET  /_pretend/clock      what time it is there
//	POST /_pretend/clock      {"advance": "24h"}: what is due on the way happens, in order
//	POST /_pretend/port-rules {"number": "+12125550100", "code": "8A", "message": "…", "times": 2}:
//	                          what the donor says next, before the number's own story; without
//	                          a number to any, with "at_order": true as a 422 to the order
//	POST /_pretend/ports/<external id>/<turn>
//	                          by hand, with the usual event: delay, refuse, revoke (each with
//	                          {"code": …, "message": …} or the usual ones), confirm ({"due": …}
//	                          or the usual time), complete, cancel
//
// Its acts in the journal: device_check, activate_line, line_active, line_failed,
// change_sim, deactivate_line, refused, clock, portability_check, submit_port,
// supplement_port, cancel_port, port_delayed, port_confirmed, port_refused, port_completed,
// port_cancelled, and partnertest.ActDelivered for its events. The entry's Key is the
// idempotency key, its Reference our external id (of the port, for a port). What a customer
// said to a donor is not in it: port.info is a fingerprint that is the same for the same
// answers, and port.revision counts them from 1.
package carriertest
