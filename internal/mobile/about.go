package mobile

// actsOf are the acts outside that belong to a step, or to giving back what it took.
func actsOf(step StepName, undoing bool) []Act {
	switch {
	case step == StepReserveESIM && undoing:
		return []Act{ActOrderProfile, ActCancelProfile}
	case step == StepActivateLine && undoing:
		return []Act{ActDeactivateLine}
	case step == StepSubmitPort && undoing:
		return []Act{ActCancelPort}
	}
	switch step {
	case StepReserveESIM:
		return []Act{ActOrderProfile, ActConfirmProfile}
	case StepActivateLine:
		return []Act{ActActivateLine}
	case StepSubmitPort:
		return []Act{ActSubmitPort, ActSupplementPort, ActCancelPort}
	case StepAwaitPort:
		return []Act{ActReschedulePort}
	case StepSendActivationEmail, StepResendActivationEmail:
		return []Act{ActSendMail}
	case StepReplaceProfile:
		return []Act{ActOrderProfile, ActConfirmProfile, ActChangeSIM, ActSendMail, ActRetireProfile, ActCancelProfile}
	case StepCheckSubscription, StepCheckDevice, StepCheckPortability, StepCollectPortingInfo, StepActivateSubscription,
		StepChangeSIM, StepRetireESIM, StepSendPortalLink:
	}
	return nil
}

// Acts are the acts outside that an item can be about.
func (i Item) Acts() []Act { return actsOf(i.Step, i.Undoing) }

// About is the act that an item is about, given the latest effects of those that it can be
// about, newest first: the one whose outcome is what the item says. Zero when none is.
func (i Item) About(effects []Effect) Effect {
	for _, e := range effects {
		var is bool
		switch i.Kind {
		case ItemOutcomeUnknown:
			is = e.Next() == NextAsk
		case ItemStepRefused:
			is = e.Verdict == VerdictRefused
		case ItemStepStuck:
			is = !e.settled()
		case ItemNumberAtRisk, ItemRunLost, ItemMailNotDelivered, ItemInstallFailed, ItemCarrierSilent, ItemTooManyRefusals,
			ItemPortRefused, ItemOddEvent, ItemDoesNotWork:
		}
		if is {
			return e
		}
	}
	return Effect{}
}
