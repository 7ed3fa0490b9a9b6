// Package carrier speaks with our network partner: the company whose radio network the
// lines live on.
//
// [Carrier] says what Dialtone needs of any of them, and its comments are the contract that
// each adapter must keep; carrierconformance holds adapters against it. [Client] is the
// first adapter. It speaks the small JSON API that api/carrier/v1/openapi.yaml publishes.
//
// Each method is one HTTP call and never two: whoever calls decides whether to try again.
// What an answer means is decided in one place, verdict.go.
package carrier
