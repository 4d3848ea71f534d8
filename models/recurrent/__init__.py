"""Nonlinear recurrent networks: RNN, GRU, LSTM, xLSTM, and networks with a stack or a tape."""
