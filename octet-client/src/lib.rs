//! The typed client with which a partner's backend asks for verdicts
