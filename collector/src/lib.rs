//! What runs in the visitor's browser: reads signals, echoes nonces, posts
