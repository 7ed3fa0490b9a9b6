package carrier

import (
	"context"
	"net/http"
	"net/url"
)

// CheckPortability implements Carrier.
func (c *Client) CheckPortability(ctx context.Context, check PortabilityCheck) (Portability, error) {
	answer := c.call(ctx, request{
		call: checkPortability, method: http.MethodPost, path: "/v1/portability-checks",
		body: portabilityCheckJSON{Number: check.Number, ZIPCode: check.ZIPCode},
	})
	var body portabilityJSON
	if err := answer.read(&body, http.StatusOK); err != nil {
		return Portability{}, err
	}
	portability, wrong := body.portability()
	if wrong != "" {
		return Portability{}, answer.unreadable(wrong)
	}
	return portability, nil
}

// SubmitPort implements Carrier.
func (c *Client) SubmitPort(ctx context.Context, key string, order PortOrder) (Port, error) {
	answer := c.call(ctx, request{
		call: submitPort, method: http.MethodPost, path: "/v1/ports", key: key, externalID: order.ExternalID,
		body: portOrderOf(order),
	})
	if answer.code == codePortExists {
		return answer.existingPort(order)
	}
	port, err := answer.port(order.ExternalID, http.StatusCreated)
	if err == nil && !port.fills(order) {
		return Port{}, answer.unreadable("reply names another number or ICCID")
	}
	return port, err
}

// SupplementPort implements Carrier.
func (c *Client) SupplementPort(ctx context.Context, key string, supplement PortSupplement) (Port, error) {
	answer := c.call(ctx, request{
		call: supplementPort, method: http.MethodPost,
		path: "/v1/ports/" + url.PathEscape(supplement.ExternalID) + "/supplement",
		key:  key, externalID: supplement.ExternalID, body: supplementOf(supplement),
	})
	return answer.port(supplement.ExternalID, http.StatusOK)
}

// CancelPort implements Carrier.
func (c *Client) CancelPort(ctx context.Context, key, externalID string) (Port, error) {
	answer := c.call(ctx, request{
		call: cancelPort, method: http.MethodPost, path: "/v1/ports/" + url.PathEscape(externalID) + "/cancel",
		key: key, externalID: externalID,
	})
	port, err := answer.port(externalID, http.StatusOK)
	if err == nil && port.State != PortCancelling && port.State != PortCancelled && port.State != PortCompleted {
		return Port{}, answer.unreadable("reply does not say that the port is being cancelled")
	}
	return port, err
}

// ReadPort implements Carrier.
func (c *Client) ReadPort(ctx context.Context, externalID string) (Port, error) {
	answer := c.call(ctx, request{
		call: readPort, method: http.MethodGet, path: "/v1/ports/" + url.PathEscape(externalID), externalID: externalID,
	})
	return answer.port(externalID, http.StatusOK)
}

// InstallBeforeCutover implements Carrier: the API takes an eSIM that is installed already,
// and one that is not.
func (c *Client) InstallBeforeCutover() bool { return true }
