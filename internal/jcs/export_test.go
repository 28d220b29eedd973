package jcs

// AppendFloat lets the tests reach doubles that no accepted literal gives.
var AppendFloat = appendFloat
