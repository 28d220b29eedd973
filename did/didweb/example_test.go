package didweb_test

import (
	"fmt"

	"github.com/staffpassport/staffpassport/did/didweb"
)

func ExampleNew() {
	id, err := didweb.New("rowan.example:8443", "ward", "7")
	if err != nil {
		fmt.Println(err)
		return
	}
	where, err := didweb.URL(id)
	fmt.Println(id, err)
	fmt.Println(where)
	// Output:
	// did:web:rowan.example%3A8443:ward:7 <nil>
	// https://rowan.example:8443/ward/7/did.json
}
