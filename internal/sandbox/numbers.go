package sandbox

import (
	"context"
	"fmt"
	"math/rand/v2"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// GoodDonor is the company that numbers leave.
const GoodDonor = "att"

// numberDraws bounds how many numbers are tried. There are a few hundred of each ending.
const numberDraws = 100

// LaunchPort is Launch with a number that is brought along: a fictional one with these last two
// digits, by which the pretend carrier knows how its port goes (carriertest), and that nobody
// has brought yet.
func LaunchPort(ctx context.Context, connection grpc.ClientConnInterface, customer Customer, ending string) (*dialtonev1.Workflow, error) {
	subscription, err := createPending(ctx, dialtonev1.NewSubscriptionServiceClient(connection), customer)
	if err != nil {
		return nil, err
	}
	form := &dialtonev1.MobileActivation{SubscriptionId: subscription, Imei: GoodIMEI, ZipCode: GoodZIP, PortCarrier: GoodDonor}
	for range numberDraws {
		form.PortPhoneNumber = DrawNumber(ending)
		launched, err := launch(ctx, connection, form)
		if !numberTaken(err) {
			return launched, err
		}
	}
	return nil, fmt.Errorf("launch on %s: all numbers with the last digits %s are taken", subscription, ending)
}

// DrawNumber draws a fictional number of the United States with these last two digits.
func DrawNumber(ending string) string {
	const first, count = 200, 800
	for {
		number, refusal := mobile.ParsePortNumber(fmt.Sprintf("+1%d55501%s", first+rand.IntN(count), ending))
		if refusal == nil {
			return number
		}
	}
}

// numberTaken tells whether a launch was refused because the number is on its way or here.
func numberTaken(err error) bool {
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetReason() == "NUMBER_BEING_PORTED" {
				return true
			}
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				if violation.GetReason() == string(mobile.PortSameNetwork) {
					return true
				}
			}
		}
	}
	return false
}
