package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// breakCarrier makes the pretend carrier take no orders for lines.
func breakCarrier(ctx context.Context, carrier string) error {
	fault, err := json.Marshal(partnertest.Fault{
		Match: "POST /v1/lines", Kind: partnertest.Status, Status: http.StatusServiceUnavailable,
	})
	if err != nil {
		return fmt.Errorf("write the fault: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, carrier+"/_pretend/faults", bytes.NewReader(fault))
	if err != nil {
		return fmt.Errorf("call the pretend carrier: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("call the pretend carrier: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the pretend carrier answered %s", response.Status)
	}
	return nil
}
