package server

import (
	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func (show) tenant(t mobile.Tenant) *dialtonev1.Tenant {
	shown := &dialtonev1.Tenant{
		TenantId:          string(t.ID),
		DisplayName:       t.DisplayName,
		MailFrom:          t.MailFrom,
		MailReplyTo:       t.MailReplyTo,
		SupportPhone:      t.SupportPhone,
		SupportHours:      t.SupportHours,
		PortalUrlTemplate: t.PortalURLTemplate,
		TimeZone:          t.TimeZone,
		CreateTime:        instant(t.Created),
		UpdateTime:        instant(t.Updated),
	}
	for _, p := range t.Plans {
		shown.Plans = append(shown.Plans, &dialtonev1.Plan{
			Plan:        p.Name,
			Kind:        enum[dialtonev1.PlanKind](dialtonev1.PlanKind_value, "PLAN_KIND_", p.Kind),
			CarrierPlan: p.CarrierPlan,
			ProfileType: p.ProfileType,
		})
	}
	return shown
}

func (show) token(t mobile.Token) *dialtonev1.Token {
	return &dialtonev1.Token{
		TokenId:     t.ID,
		Principal:   principal(t.Principal),
		TenantId:    string(t.Tenant),
		Name:        t.Name,
		ExpireTime:  instant(t.Expires),
		CreateTime:  instant(t.Created),
		LastUseTime: instant(t.Used),
		RevokeTime:  instant(t.Revoked),
	}
}
