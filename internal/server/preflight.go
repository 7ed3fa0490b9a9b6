package server

import (
	"context"
	"sync"
	"time"

	"github.com/dialtone/dialtone/internal/carrier"
)

// Network is what the door itself asks the carrier: whether a launch that is only tried would
// get through. Neither call changes anything, and both return when their context ends.
type Network interface {
	CheckDevice(ctx context.Context, check carrier.DeviceCheck) error
	CheckPortability(ctx context.Context, check carrier.PortabilityCheck) (carrier.Portability, error)
}

// preflightPatienceDefault is how long the carrier may take to say so. Somebody sits at a
// counter and waits, and the activation asks again anyway.
const preflightPatienceDefault = 3 * time.Second

// advice is what the carrier said of a launch beforehand.
type advice struct {
	launching

	// device is why the phone cannot be used, or why the carrier did not say; nil when it can.
	device error
	// number is what it said of the number, and unsaid why it said nothing; for a port.
	number carrier.Portability
	unsaid error
}

// askCarrier asks about the phone and, for a port, about the number, at the same time.
func (r *rpcs) askCarrier(ctx context.Context, launch launching) advice {
	ctx, cancel := context.WithTimeout(ctx, r.preflightPatience)
	defer cancel()
	a := advice{launching: launch}
	var asking sync.WaitGroup
	asking.Go(func() {
		a.device = r.network.CheckDevice(ctx, carrier.DeviceCheck{IMEI: string(launch.IMEI), ZIPCode: string(launch.ZIP)})
	})
	if launch.PortNumber != "" {
		asking.Go(func() {
			a.number, a.unsaid = r.network.CheckPortability(ctx, carrier.PortabilityCheck{
				Number: launch.PortNumber, ZIPCode: string(launch.ZIP),
			})
		})
	}
	asking.Wait()
	return a
}
