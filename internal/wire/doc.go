// Package wire is how Dialtone talks HTTP to partners: one try, bounded in time and size,
// and knowing afterwards whether a byte of the request has left.
//
// That knowledge decides what may be done next. An act of which no byte has left has not
// happened and may simply be tried again; once a byte has left, silence proves nothing.
// So a call here never tries twice by itself:
//
//   - no redirects: a 3xx is a Reply like any other;
//   - no replays: net/http sends a request again when a reused connection turns out to be
//     dead and the request looks idempotent (a GET, or any with an Idempotency-Key header);
//     here each call has a connection of its own, which also spares us the doubt of a
//     request written into a connection that the partner had closed already. It costs one
//     handshake a call;
//   - no HTTP/2, whose transport has replays of its own.
//
// The room knows no partner: which reply means yes, refused, not now or unknown is for the
// table of each partner's package.
//
//	client := wire.New(wire.Config{Timeout: 10 * time.Second})
//	reply, err := client.Call(ctx, request)
//	if err != nil {
//		e := wire.ErrorOf(err) // e.Sent, e.Code; never nil for an error of Call
//	}
package wire
