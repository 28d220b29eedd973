package fetch

import (
	"context"
	"io"
	"net"
	"sync/atomic"
)

// nameServer answers every question with the given addresses, without a packet.
func nameServer(asked *atomic.Int32, addresses ...string) *net.Resolver {
	var four, six [][]byte
	for _, a := range addresses {
		ip := net.ParseIP(a)
		if v4 := ip.To4(); v4 != nil {
			four = append(four, v4)
		} else {
			six = append(six, ip)
		}
	}
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			asked.Add(1)
			go serveNames(server, four, six)
			return client, nil
		},
	}
}

// serveNames speaks DNS over a stream (RFC 1035 section 4.2.2).
func serveNames(conn net.Conn, four, six [][]byte) {
	defer conn.Close()
	var length [2]byte
	for {
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, int(length[0])<<8|int(length[1]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		end := 12
		for query[end] != 0 {
			end += int(query[end]) + 1
		}
		end += 5
		kind := query[end-3]
		records := map[byte][][]byte{1: four, 28: six}[kind]
		reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(records)), 0, 0, 0, 0}, query[12:end]...)
		for _, ip := range records {
			reply = append(reply, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, byte(len(ip)))
			reply = append(reply, ip...)
		}
		if _, err := conn.Write(append([]byte{byte(len(reply) >> 8), byte(len(reply))}, reply...)); err != nil {
			return
		}
	}
}
