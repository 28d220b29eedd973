package main

import (
	"net/http"
	"time"
)

// routes registers the mediator's pages: numbers, and the invitation for wallets.
func (m *mediator) routes() {
	m.site.routes.HandleFunc("GET /{$}", m.home)
	m.site.routes.HandleFunc("GET /qr.png", func(w http.ResponseWriter, _ *http.Request) { m.site.qr(w, m.link) })
}

// A clientView is one wallet as the mediator's page shows it: nothing of who it is.
type clientView struct {
	Since           time.Time
	State           string
	Names, Messages int
	Kilobytes       int64
	Newest          time.Time
}

func (m *mediator) home(w http.ResponseWriter, r *http.Request) {
	clients, err := m.mediation.Clients(r.Context())
	if err != nil {
		m.failed(w, err)
		return
	}
	queues, err := m.mail.Queues(r.Context())
	if err != nil {
		m.failed(w, err)
		return
	}
	var data struct {
		Clients    []clientView
		Invitation string
	}
	data.Invitation = m.link
	for _, c := range clients {
		v := clientView{Since: c.Since, State: string(c.State), Names: c.Names}
		for _, q := range queues {
			if q.Connection == c.Connection {
				v.Messages, v.Kilobytes, v.Newest = q.Messages, (q.Bytes+999)/1000, q.Newest
			}
		}
		data.Clients = append(data.Clients, v)
	}
	m.site.page(w, r, "mediator.html", view{Heading: "Wallets", Watch: true, Data: data})
}
