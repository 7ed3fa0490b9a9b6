package esim

import (
	"context"
	"strings"

	"github.com/dialtone/dialtone/internal/mobile"
)

// DownloadOrder asks for a profile (SGP.22 §5.3.1).
type DownloadOrder struct {
	// CallID goes into the SM-DP+'s log. It recognises nothing.
	CallID string
	// ICCID names a profile of our own inventory, which no other order may hold. When it is
	// empty any profile of ProfileType is taken, a new one each time.
	ICCID mobile.ICCID
	// ProfileType is the SM-DP+'s name; it may be empty beside an ICCID.
	ProfileType string
}

// DownloadOrder takes a profile and returns its ICCID, which is the one asked for when one
// was.
//
// With an ICCID it may be repeated at will. Without one it is blind: when its verdict is
// unknown a profile may be lost to us, and the call must not be made again unasked.
//
// An error is a *mobile.PartnerError by the table in verdict.go.
func (c *Client) DownloadOrder(ctx context.Context, order DownloadOrder) (mobile.ICCID, error) {
	act := downloadByICCID
	if order.ICCID == "" {
		act = downloadByType
		if order.ProfileType == "" {
			return "", unsent("neither ICCID nor profile type", nil)
		}
	}
	reply, err := c.call(ctx, act, downloadOrderRequest{
		Header: c.header(order.CallID), ICCID: string(order.ICCID), ProfileType: order.ProfileType,
	})
	if err != nil {
		return "", err
	}
	if reply.alreadySo {
		return order.ICCID, nil
	}
	iccid, err := mobile.ParseICCID(reply.ICCID)
	if err != nil {
		return "", garbled("reply without a valid ICCID")
	}
	if order.ICCID != "" && iccid != order.ICCID {
		return "", garbled("reply with another ICCID")
	}
	return iccid, nil
}

// ConfirmOrder completes an order (SGP.22 §5.3.2).
type ConfirmOrder struct {
	CallID string
	ICCID  mobile.ICCID
	// MatchingID comes from NewMatchingID and was kept before the first call. It belongs to
	// this ICCID alone: with one that served another profile the customer could get that.
	MatchingID string
}

// ConfirmOrder ties the profile to our matching id and releases it for download. It may be
// repeated at will with the same matching id.
//
// The activation code carries the configured SM-DP+ address. A reply that names another
// address, or another matching id, is refused with mobile.ErrSMDPAddressNotOurs or
// mobile.ErrMatchingIDNotOurs: the order stands then, but under what we cannot vouch for.
//
// Any other error is a *mobile.PartnerError by the table in verdict.go.
func (c *Client) ConfirmOrder(ctx context.Context, order ConfirmOrder) (mobile.ActivationCode, error) {
	code, err := mobile.NewActivationCode(c.address, order.MatchingID)
	if err != nil || order.ICCID == "" {
		return mobile.ActivationCode{}, unsent("no ICCID or no valid matching id", err)
	}
	reply, err := c.call(ctx, confirm, confirmOrderRequest{
		Header: c.header(order.CallID), ICCID: string(order.ICCID), MatchingID: order.MatchingID, ReleaseFlag: true,
	})
	if err != nil {
		return mobile.ActivationCode{}, err
	}
	switch {
	case reply.alreadySo:
		return code, nil
	case reply.SMDPAddress != "" && !strings.EqualFold(reply.SMDPAddress, c.address):
		return mobile.ActivationCode{}, refused("reply with another SM-DP+ address", mobile.ErrSMDPAddressNotOurs)
	case reply.MatchingID == "": // mandatory in SGP.22 §5.3.2: this is not a reply to confirmOrder
		return mobile.ActivationCode{}, garbled("reply without a matching id")
	case reply.MatchingID != order.MatchingID:
		return mobile.ActivationCode{}, refused("reply with another matching id", mobile.ErrMatchingIDNotOurs)
	}
	return code, nil
}

// Final is what becomes of a profile whose order is cancelled: SGP.22's
// finalProfileStatusIndicator.
type Final string

// The two ends of a cancelled profile.
const (
	// Available puts it back: another order may get it. Only for a profile that nobody
	// outside has heard of.
	Available Final = "Available"
	// Unavailable takes it out of use for ever.
	Unavailable Final = "Unavailable"
)

// CancelOrder gives a profile back (SGP.22 §5.3.3).
type CancelOrder struct {
	CallID string
	ICCID  mobile.ICCID
	// MatchingID is the order's, when it got as far as a confirmation; else empty.
	MatchingID string
	Final      Final
}

// CancelOrder undoes an order whose profile has not been downloaded. It may be repeated at
// will: an order that is not there any more counts as cancelled. A downloaded profile is
// refused with mobile.ErrProfileInUse.
//
// An error is a *mobile.PartnerError by the table in verdict.go.
func (c *Client) CancelOrder(ctx context.Context, order CancelOrder) error {
	if order.ICCID == "" || (order.Final != Available && order.Final != Unavailable) {
		return unsent("no ICCID or no final state", nil)
	}
	_, err := c.call(ctx, cancel, cancelOrderRequest{
		Header: c.header(order.CallID), ICCID: string(order.ICCID), MatchingID: order.MatchingID, Final: order.Final,
	})
	return err
}
