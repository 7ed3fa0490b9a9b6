// Package mobile is the domain: the words, the values, the states and the rules of bringing
// a mobile line on the air. It does no I/O and reads no clock.
//
// # Words
//
// One word per idea, in the schema, the tables, the code, the logs and on the screens:
//
//	tenant        a provider that uses this installation
//	activation    one attempt to bring one subscription on the air
//	step          what people see of it; an activity is Temporal's
//	port          the move of one number to us; a TCP port is a listen address
//	carrier       our network partner, always
//	donor         the company that a number leaves
//	partner       carrier, SM-DP+ or SendGrid
//	profile       an eSIM: its ICCID, matching id and activation code
//	line          the service at the carrier; live means that a read of it shows ACTIVE with
//	              our ICCID and number
//	effect        the row for an act that changes something outside
//	undo          giving back what a step took; release is SGP.22's word for "make downloadable"
//	notice        an e-mail to the customer
//	intake        rows that the outside wrote
//	relay         what carries intake into Temporal
//
// REJECTED is the end of an activation, REFUSED the answer to a step or a port, a refusal an
// error of the API.
//
// # Telecom shorthand
//
//	MVNO    an operator without a network of its own; our tenants
//	MDN     the telephone number of a line
//	NANP    the numbering plan of the US, Canada and others: +1 and ten digits
//	IMEI    a device's identity; IMEISV is the same with its software version
//	ICCID   a SIM's identity, an eSIM's too
//	SM-DP+  the server that holds eSIM profiles until a phone downloads them
//	ES2+    the interface through which an operator orders them (GSMA SGP.22)
//	LPA     the part of a phone that installs them; LPA:1$address$code is the activation code
//	LSR     an order to port a number; FOC the donor's firm date; SUP a correction
//
// # The life of an activation
//
//	ACCEPTED ──► RUNNING ◄──► WAITING_FOR_CUSTOMER │ WAITING_FOR_CARRIER │ WAITING_FOR_OPERATOR
//	               │                 │
//	               ▼                 ▼
//	           SUCCEEDED          UNDOING ──► CANCELLED │ EXPIRED │ REJECTED │ FAILED
//
// The moves one by one are printed by the example of CanMove.
package mobile
