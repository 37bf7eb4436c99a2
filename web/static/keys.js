// The keyboard of the desk.
