package server

import (
	"context"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	healthInterval = 5 * time.Second
	healthTimeout  = 3 * time.Second
)

// watchHealth keeps the health service's word true until ctx ends, and logs when it changes.
func (s *Server) watchHealth(ctx context.Context) {
	ticker := time.NewTicker(healthInterval)
	defer ticker.Stop()
	last := healthv1.HealthCheckResponse_UNKNOWN
	for ctx.Err() == nil {
		err := s.askReady(ctx)
		if ctx.Err() != nil {
			return
		}
		now := healthv1.HealthCheckResponse_SERVING
		if err != nil {
			now = healthv1.HealthCheckResponse_NOT_SERVING
		}
		if now != last {
			s.tellHealth(ctx, now, err)
		}
		last = now
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

func (s *Server) askReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	return s.ready(ctx)
}

func (s *Server) tellHealth(ctx context.Context, now healthv1.HealthCheckResponse_ServingStatus, err error) {
	s.setHealth(now)
	if err != nil {
		s.log.WarnContext(ctx, "not ready", "cause", err)
		return
	}
	s.log.InfoContext(ctx, "ready")
}

// setHealth says the same for the whole and for each service. It does nothing once the
// health service was shut down.
func (s *Server) setHealth(status healthv1.HealthCheckResponse_ServingStatus) {
	s.health.SetServingStatus("", status)
	for _, service := range s.services {
		s.health.SetServingStatus(service, status)
	}
}
