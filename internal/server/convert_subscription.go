package server

import (
	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// subscription shows a subscription to a caller: name and address in full to billing alone.
func (show) subscription(sub mobile.Subscription, to mobile.Principal) *dialtonev1.Subscription {
	name, email := sub.CustomerName, sub.CustomerEmail
	if to != mobile.PrincipalBilling {
		name, email = mobile.MaskName(name), mobile.MaskEmail(email)
	}
	return &dialtonev1.Subscription{
		SubscriptionId: string(sub.ID),
		AccountId:      sub.AccountID,
		CustomerName:   name,
		CustomerEmail:  email,
		Plan:           sub.Plan,
		PlanKind:       enum[dialtonev1.PlanKind](dialtonev1.PlanKind_value, "PLAN_KIND_", sub.PlanKind),
		Status:         subscriptionStatus(sub.Status),
		PhoneNumber:    sub.PhoneNumber,
		CreateTime:     instant(sub.Created),
		ActivateTime:   instant(sub.Activated),
		CancelTime:     instant(sub.Cancelled),
		UpdateTime:     instant(sub.Updated),
		ActivationId:   string(sub.Activation),
	}
}

func subscriptionStatus(status mobile.SubscriptionStatus) dialtonev1.SubscriptionStatus {
	return enum[dialtonev1.SubscriptionStatus](dialtonev1.SubscriptionStatus_value, "SUBSCRIPTION_STATUS_", status)
}
