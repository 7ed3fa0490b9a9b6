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
// Its acts in the journal: device_check, activate_line, line_active, line_failed,
// change_sim, deactivate_line, refused, and partnertest.ActDelivered for its events. The
// entry's Key is the idempotency key, its Reference our external id.
package carriertest
