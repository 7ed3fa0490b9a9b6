package relay

import "github.com/prometheus/client_golang/prometheus"

// metrics are what a relay tells about itself.
type metrics struct {
	delivered prometheus.Counter
	failed    *prometheus.CounterVec
	numbered  prometheus.Counter
	backlog   prometheus.Gauge
	oldest    prometheus.Gauge
	lost      prometheus.Counter
	unseen    prometheus.Gauge
	erased    prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) metrics {
	m := metrics{
		delivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dialtone_relay_delivered_total", Help: "Messages that the engine has taken.",
		}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dialtone_relay_failed_total", Help: "Attempts that failed, by reason. Nothing is dropped.",
		}, []string{"reason"}),
		numbered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dialtone_feed_numbered_total", Help: "Events that were given their number.",
		}),
		backlog: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dialtone_relay_backlog", Help: "Messages that the engine does not have yet.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dialtone_relay_oldest_seconds", Help: "Age of the oldest message that the engine does not have yet.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dialtone_runs_lost_total", Help: "Runs that were gone before what they are for had ended, and were started again.",
		}),
		unseen: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dialtone_runs_unseen_seconds", Help: "How long the run of something open was not looked at, at most.",
		}),
		erased: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dialtone_ports_erased_total", Help: "Ended ports whose details were erased.",
		}),
	}
	registry.MustRegister(m.delivered, m.failed, m.numbered, m.backlog, m.oldest, m.lost, m.unseen, m.erased)
	return m
}
