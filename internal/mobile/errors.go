package mobile

import "github.com/dialtone/dialtone/internal/fault"

// Refusals of partners that no retry can mend. They end an activation as REJECTED.
var (
	ErrDeviceBlocked = fault.New(fault.Conflict, "DEVICE_BLOCKED",
		"The network has this device on a block list (lost, stolen or unpaid). Use another device.")
	ErrDeviceNotESIMCapable = fault.New(fault.Conflict, "DEVICE_NOT_ESIM_CAPABLE",
		"This device cannot hold an eSIM. Use another device.")
	ErrDeviceNotSupported = fault.New(fault.Conflict, "DEVICE_NOT_SUPPORTED",
		"The network does not support this device. Use another device.")
	ErrDeviceUnknown = fault.New(fault.Conflict, "DEVICE_UNKNOWN",
		"The network does not know this device's IMEI. Check it by dialling *#06#.")
	ErrZIPNotServed = fault.New(fault.Conflict, "ZIP_NOT_SERVED",
		"The network does not serve this ZIP code. Use the ZIP code where the line will be used.")
	ErrPlanNotKnownToCarrier = fault.New(fault.Conflict, "CARRIER_PLAN_UNKNOWN",
		"The carrier does not know the plan that this subscription maps to. Correct the tenant's plan table.")
	ErrProfileTypeUnknown = fault.New(fault.Conflict, "PROFILE_TYPE_UNKNOWN",
		"The SM-DP+ does not know the profile type of this plan, or may not give it to us. Correct the tenant's plan table.")
	ErrProfileNotAvailable = fault.New(fault.Conflict, "PROFILE_NOT_AVAILABLE",
		"The SM-DP+ cannot give this eSIM profile: it does not know it, or it belongs to another order. Check the imported inventory.")
	ErrStockRefused = fault.New(fault.Conflict, "STOCK_PROFILE_REFUSED",
		"The SM-DP+ does not give us an eSIM that was imported into the stock. Ask its operator about the import; send again to take the next one.")
	ErrProfileInUse = fault.New(fault.Conflict, "PROFILE_IN_USE",
		"The eSIM profile has been downloaded, so that its order cannot be cancelled any more.")
	ErrICCIDNotAccepted = fault.New(fault.Conflict, "ICCID_NOT_ACCEPTED",
		"The carrier does not accept the eSIM's ICCID. Ask the carrier whether its range is loaded.")
	ErrMailAddressRefused = fault.New(fault.Conflict, "MAIL_REFUSED",
		"SendGrid refuses this message or its recipient. Correct the customer's address.")
	ErrPartnerRefused = fault.New(fault.Conflict, "PARTNER_REFUSED",
		"The partner refuses this request for good. Its code stands beside this reason.")
)

// Refusals of ours: the SM-DP+ has acted, but its answer must not reach a customer. They go
// to an operator, who asks the SM-DP+ what it has done.
var (
	ErrSMDPAddressNotOurs = fault.New(fault.Conflict, "SMDP_ADDRESS_NOT_OURS",
		"The SM-DP+ answered with an address other than the configured one. Check ES2PLUS_SMDP_ADDRESS, or whether somebody stands between.")
	ErrMatchingIDNotOurs = fault.New(fault.Conflict, "MATCHING_ID_NOT_OURS",
		"The SM-DP+ confirmed the eSIM under a matching id that we did not give. Ask its operator for the order's state.")
)

// RefusalNamed gives the named refusal with this reason, so that one that was recorded can
// be told again in its own words. A reason that is not of the list above gets words of its
// own.
func RefusalNamed(reason string) *fault.Error {
	for _, f := range partnerRefusals {
		if f.Reason == reason {
			return f
		}
	}
	return fault.New(fault.Conflict, reason, "The partner refused this before, for good.")
}
